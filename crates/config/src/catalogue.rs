//! The known services: where they are, how one signs in, and what to know before.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use url::Url;

/// How smoothly a service takes a new client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Press Connect, say yes.
    OneClick,
    /// The person creates an app at the service first.
    Guided,
    /// The service may refuse clients that it does not know.
    MayBeRefused,
    /// Nothing special is known.
    Plain,
}

/// One service of the gallery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// Unique; also the name proposed for `mcp.json`.
    pub slug: String,
    /// The service's own name.
    pub name: String,
    pub url: Url,
    pub tier: Tier,
    /// What to know, in plain words.
    pub note: Option<String>,
    /// The steps before the first sign-in, for [`Tier::Guided`].
    pub setup: Option<GuidedSetup>,
    /// The mark's slug in simple-icons; `None` where it has none.
    pub icon: Option<String>,
    /// Other addresses of the same service.
    #[serde(default)]
    pub also: Vec<Url>,
}

/// What to do at the service before Usher can sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuidedSetup {
    /// The page where an app is created.
    pub where_url: Url,
    /// What to do there, one step a text.
    pub steps: Vec<String>,
    /// The redirect to enter there.
    pub redirect: String,
    /// Whether the service wants the client secret too.
    pub needs_secret: bool,
    /// Scopes to ask for, where the service demands some.
    #[serde(default)]
    pub scopes: Vec<String>,
}

static CATALOGUE: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
    serde_json::from_str(include_str!("../catalogue.json")).expect("catalogue.json is valid")
});

/// All known services, one-click ones first.
pub fn catalogue() -> &'static [CatalogueEntry] {
    &CATALOGUE
}

/// The service of that slug.
pub fn catalogue_by_slug(slug: &str) -> Option<&'static CatalogueEntry> {
    catalogue().iter().find(|entry| entry.slug == slug)
}

/// The service at that address; a trailing slash and the query do not matter.
pub fn catalogue_by_url(url: &Url) -> Option<&'static CatalogueEntry> {
    catalogue().iter().find(|entry| {
        std::iter::once(&entry.url).chain(&entry.also).any(|known| {
            known.origin() == url.origin()
                && known.path().trim_end_matches('/') == url.path().trim_end_matches('/')
        })
    })
}
