//! Rules for all entries of the catalogue.

use std::collections::HashSet;

use url::Url;
use usher_config::{Tier, catalogue, catalogue_by_url};

/// Every service of the gallery, by tier.
const EXPECTED: [(Tier, &[&str]); 4] = [
    (
        Tier::OneClick,
        &[
            "notion",
            "linear",
            "atlassian",
            "sentry",
            "cloudflare",
            "cloudflare-observability",
            "cloudflare-bindings",
            "stripe",
            "vercel",
            "supabase",
            "zapier",
        ],
    ),
    (Tier::Guided, &["github", "slack", "hubspot", "asana", "monday"]),
    (Tier::ApprovedAppsOnly, &["figma", "canva", "square"]),
    (
        Tier::Other,
        &[
            "intercom",
            "paypal",
            "neon",
            "hugging-face",
            "airtable",
            "box",
            "miro",
            "clickup",
            "posthog",
            "granola",
            "netlify",
        ],
    ),
];

#[test]
fn the_catalogue_has_every_service_in_gallery_order() {
    let expected: Vec<(Tier, &str)> =
        EXPECTED.iter().flat_map(|(tier, slugs)| slugs.iter().map(|slug| (*tier, *slug))).collect();
    let actual: Vec<(Tier, &str)> =
        catalogue().iter().map(|entry| (entry.tier, entry.slug.as_str())).collect();
    assert_eq!(actual, expected);
}

#[test]
fn addresses_are_https_and_unique() {
    let mut seen = HashSet::new();
    for entry in catalogue() {
        for url in std::iter::once(&entry.url).chain(&entry.other_urls) {
            assert_eq!(url.scheme(), "https", "{}", entry.slug);
            assert!(url.username().is_empty() && url.fragment().is_none(), "{}", entry.slug);
            assert!(seen.insert(url.clone()), "{url} is repeated");
            assert_eq!(catalogue_by_url(url).map(|found| &found.slug), Some(&entry.slug));
        }
        assert_eq!(catalogue().iter().find(|other| other.slug == entry.slug), Some(entry));
    }
}

#[test]
fn slugs_icons_names_and_notes_are_well_formed() {
    for entry in catalogue() {
        let is_slug = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(is_slug(&entry.slug), "{}", entry.slug);
        assert!(entry.icon.as_deref().is_none_or(is_slug), "{}", entry.slug);
        assert!(!entry.name.is_empty());
        if let Some(note) = &entry.note {
            assert!(note.ends_with('.'), "{}: {note}", entry.slug);
        }
    }
}

#[test]
fn guided_and_restricted_services_have_a_note() {
    for entry in catalogue() {
        match entry.tier {
            Tier::Guided => {
                assert!(entry.note.is_some(), "{}", entry.slug);
                if let Some(setup) = &entry.setup {
                    assert_eq!(setup.registration_page.scheme(), "https");
                    assert_eq!(setup.redirect, "dev.usher.desktop:/oauth/callback");
                    assert!(setup.steps.len() >= 2);
                }
            }
            Tier::ApprovedAppsOnly => {
                assert!(entry.note.is_some() && entry.setup.is_none(), "{}", entry.slug)
            }
            Tier::OneClick | Tier::Other => assert!(entry.setup.is_none(), "{}", entry.slug),
        }
    }
}

#[test]
fn an_address_is_found_despite_its_query_and_trailing_slash() {
    for (address, slug) in [
        ("https://mcp.supabase.com/mcp?project_ref=x&read_only=true", Some("supabase")),
        ("https://huggingface.co/mcp", Some("hugging-face")),
        ("https://mcp.stripe.com/", Some("stripe")),
        ("https://api.githubcopilot.com/mcp", Some("github")),
        ("https://MCP.Notion.com:443/mcp/", Some("notion")),
        ("https://mcp.notion.com/other", None),
        ("http://mcp.notion.com/mcp", None),
        ("https://mcp.notion.com.evil.example/mcp", None),
    ] {
        let url = Url::parse(address).expect("valid URL");
        assert_eq!(catalogue_by_url(&url).map(|entry| entry.slug.as_str()), slug, "{address}");
    }
}
