//! The known services, with their addresses and the steps before a first sign-in.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use url::Url;

/// The effort that a first sign-in takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The person connects and approves. Nothing has to be prepared.
    OneClick,
    /// The person creates an app at the service first.
    Guided,
    /// The service accepts only clients that it has approved.
    ApprovedAppsOnly,
    /// No special requirement is known.
    Other,
}

/// One service of the gallery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// The unique identifier. It is also the suggested name in `mcp.json`.
    pub slug: String,
    pub name: String,
    pub url: Url,
    pub tier: Tier,
    pub note: Option<String>,
    /// The steps before the first sign-in, for [`Tier::Guided`].
    pub setup: Option<Setup>,
    /// The logo's slug in simple-icons, if any.
    #[serde(skip_serializing)]
    #[cfg_attr(feature = "specta", specta(skip))]
    pub icon: Option<String>,
    /// Other addresses of the same service.
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "specta", specta(skip))]
    pub other_urls: Vec<Url>,
}

/// The steps at the service before the first sign-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The page where a client is registered.
    pub registration_page: Url,
    /// One instruction per step.
    pub steps: Vec<String>,
    /// The redirect URI to enter on that page.
    pub redirect: String,
    /// Whether Usher needs the client secret as well as the client ID.
    pub needs_secret: bool,
    /// The scopes that the service requires. Empty if discovery finds them.
    pub scopes: Vec<String>,
}

static CATALOGUE: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is part of the program and covered by tests")]
    serde_json::from_str(include_str!("../catalogue.json")).expect("catalogue.json is valid")
});

/// Returns all known services, in the gallery's order.
pub fn catalogue() -> &'static [CatalogueEntry] {
    &CATALOGUE
}

impl CatalogueEntry {
    /// Returns all addresses of the service.
    pub fn urls(&self) -> impl Iterator<Item = &Url> {
        std::iter::once(&self.url).chain(&self.other_urls)
    }
}

/// Finds a service by its address, ignoring a trailing slash and the query.
pub fn catalogue_by_url(url: &Url) -> Option<&'static CatalogueEntry> {
    catalogue().iter().find(|entry| {
        entry.urls().any(|known| {
            known.origin() == url.origin()
                && known.path().trim_end_matches('/') == url.path().trim_end_matches('/')
        })
    })
}
