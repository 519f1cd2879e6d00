//! A server's names: the person's name for it, which all front ends show first, and the title that it gives itself.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;
use url::{Host, Url};
use usher_budgets as budgets;
use usher_config::{CatalogueEntry, catalogue, catalogue_by_url, display_text};

/// The demo's id, and its name in the window's gallery.
const DEMO: (&str, &str) = ("demo", "Usher demo");
/// The name that a server's title must not contain, because the title would seem to come from Usher.
const OWN_NAME: &str = "usher";
/// Words that are ignored when a title is compared with a service's name. "Notion MCP Server" counts as "Notion".
const FILLERS: [&str; 6] = ["the", "mcp", "server", "service", "app", "official"];

/// Returns the name of a server. It depends only on the server's entry in `mcp.json`, so that it stays the same across
/// restarts and changes of the server's own title. `title` is the entry's, and takes precedence. At the address of a
/// catalogue entry, the name begins with the catalogue's name.
pub(crate) fn display_name(id: &str, title: Option<&str>, url: Option<&Url>) -> String {
    if let Some(title) = title {
        return display_text(title, budgets::NAME_CHARACTERS);
    }
    let name = match url.and_then(catalogue_by_url) {
        Some(entry) if same_text(id, &entry.slug) || same_text(id, &entry.name) => entry.name.clone(),
        Some(entry) => format!("{} ({id})", entry.name),
        None if id == DEMO.0 && url.is_some_and(is_loopback) => DEMO.1.to_owned(),
        None => id.to_owned(),
    };
    display_text(&name, budgets::NAME_CHARACTERS)
}

/// Returns a server's own title as it may be shown beside its name. Returns `None` for a title that repeats the name,
/// or that imitates Usher or a catalogue's service at another host.
pub(super) fn own_title(title: &str, name: &str, url: Option<&Url>) -> Option<String> {
    let shown = display_text(title, budgets::NAME_CHARACTERS);
    let imitates = foldings(&shown).iter().any(|folded| {
        let words = words(folded);
        words.contains(&OWN_NAME) || words.concat() == OWN_NAME || imitates_service(&words, url)
    });
    (!shown.is_empty() && !imitates && !same_text(&shown, name)).then_some(shown)
}

/// Returns whether a title with these words imitates a service of the catalogue that has another host.
fn imitates_service(words: &[&str], url: Option<&Url>) -> bool {
    let is_filler = |word: &str| FILLERS.iter().any(|filler| skeleton(filler).eq(word.chars()));
    let without_fillers =
        |words: &[&str]| -> String { words.iter().filter(|word| !is_filler(word)).copied().collect() };
    let title = without_fillers(words);
    let has_name = |entry: &CatalogueEntry| {
        foldings(&entry.name).iter().any(|folded| without_fillers(&self::words(folded)) == title)
    };
    let has_host =
        |entry: &CatalogueEntry| url.is_some_and(|url| entry.urls().any(|known| known.host() == url.host()));
    !title.is_empty() && catalogue().iter().any(|entry| has_name(entry) && !has_host(entry))
}

/// Returns the forms of a text in which it equals every text that looks the same (UTS 39, confusable detection).
/// Some letters look alike only as capitals, others only as small letters.
fn foldings(text: &str) -> BTreeSet<String> {
    let text: String = text.nfkc().collect();
    let as_capitals: String = skeleton(&text).collect::<String>().to_lowercase();
    let as_small: String = text.to_lowercase();
    [as_capitals, as_small].iter().map(|text| skeleton(text).collect()).collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

fn same_text(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(domain)) => domain == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTION: &str = "https://mcp.notion.com/mcp";

    fn url(address: &str) -> Url {
        address.parse().expect("parse the address")
    }

    #[test]
    fn the_name_is_the_persons_own_or_the_catalogues_at_its_address() {
        for (id, address, name) in [
            ("notion", NOTION, "Notion"),
            ("Notion", NOTION, "Notion"),
            ("work", NOTION, "Notion (work)"),
            ("notion", "https://evil.example/mcp", "notion"),
            ("demo", "http://127.0.0.1:4000/mcp", "Usher demo"),
            ("demo", "https://evil.example/mcp", "demo"),
            ("notes", "http://127.0.0.1:4000/mcp", "notes"),
        ] {
            assert_eq!(display_name(id, None, Some(&url(address))), name, "{id} at {address}");
        }
        assert_eq!(display_name("files", None, None), "files");
        assert_eq!(display_name("notion", Some("My notes"), Some(&url(NOTION))), "My notes");
    }

    #[test]
    fn a_title_never_imitates_usher() {
        for title in [
            "Usher",
            "USHER",
            " usher ",
            "U s h e r",
            "U\u{2009}sher",
            "Us\u{200b}her",
            "U\u{455}her", // Cyrillic s
            "U\u{405}HER", // Cyrillic S
            "\u{54d}sher", // Armenian U
            "Ush\u{435}r", // Cyrillic e
            "\u{ff35}\u{ff53}\u{ff48}\u{ff45}\u{ff52}",
            "\u{1d414}sher", // mathematical bold
            "Usher – Security",
            "Usher's keychain",
            "[usher]",
        ] {
            assert_eq!(own_title(title, "notes", Some(&url("https://evil.example/mcp"))), None, "{title:?}");
        }
        for title in ["Ushering", "Night Notebook", "Ushuaia", "MCP Server"] {
            let shown = own_title(title, "notes", Some(&url("https://evil.example/mcp")));
            assert_eq!(shown.as_deref(), Some(title));
        }
    }

    #[test]
    fn a_title_never_imitates_a_catalogue_service_of_another_host() {
        let evil = url("https://evil.example/mcp");
        for title in [
            "Notion",
            "notion MCP server",
            "N\u{43e}tion",
            "The official Notion MCP",
            "G\u{456}tHub",
            "Git Hub",
        ] {
            assert_eq!(own_title(title, "notes", Some(&evil)), None, "{title:?}");
            assert_eq!(own_title(title, "notes", None), None, "{title:?} of a program");
        }
        let own = own_title("Notion MCP", "Notion (work)", Some(&url(NOTION)));
        assert_eq!(own.as_deref(), Some("Notion MCP"));
        assert_eq!(own_title("Notion", "Notion", Some(&url(NOTION))), None, "it says nothing new");
        let other = own_title("Notion notes", "notes", Some(&evil));
        assert_eq!(other.as_deref(), Some("Notion notes"));
    }
}
