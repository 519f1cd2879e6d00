//! Protected resource metadata (RFC 9728), which names the authorization servers of an MCP server.

use url::Url;
use usher_budgets as budgets;

use crate::display_text::{display_text, display_text_option};
use crate::json_document::Document;
use crate::well_known::first_usable;
use crate::{Attempt, Challenge, Endpoint, Error, ErrorKind, HttpClient, Issuer, Scopes, ServerUrl, Step};

const STEP: Step = Step::ResourceMetadata;
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The validated fields that Usher uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResourceMetadata {
    /// The exact value of the `resource` parameter.
    pub resource: String,
    pub authorization_servers: Vec<Issuer>,
    pub scopes_supported: Option<Scopes>,
    /// Sanitised, for display.
    pub resource_name: Option<String>,
    /// Whether the server accepts only tokens that are bound to a key (`dpop_bound_access_tokens_required`).
    pub requires_dpop: bool,
}

impl ProtectedResourceMetadata {
    /// Tries the URL in the challenge, then the well-known URL with the server's path, then the well-known URL at the
    /// root. Returns `None` if the server publishes no metadata.
    pub(crate) async fn find(
        http: &HttpClient,
        server: &ServerUrl,
        challenge: Option<&Challenge>,
    ) -> Result<Option<Self>, Error> {
        let raw = challenge.and_then(|challenge| challenge.resource_metadata.as_deref());
        let (challenged, unusable) = match raw.map(|raw| challenged_url(server, raw)) {
            Some(Ok(url)) => (Some(url), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let parse = |document: &Document| Self::parse(document, server).map_err(|kind| failed(server, kind));
        // Some servers answer every unknown path with an HTML page, so a page means that the document does not exist.
        let is_absent = |url: &Url, kind: &ErrorKind| {
            matches!(kind, ErrorKind::NotJson) && challenged.as_ref() != Some(url)
        };
        let urls = metadata_urls(server, challenged.as_ref());
        let mut error = match (first_usable(http, STEP, urls, parse, is_absent).await, &unusable) {
            (Ok(Some(found)), _) => return Ok(Some(found)),
            (Ok(None), None) => return Ok(None),
            (Ok(None), Some(unusable)) => unusable.clone(),
            (Err(error), _) => error,
        };
        if let Some(unusable) = unusable {
            let attempt =
                Attempt { url: display_text(raw.unwrap_or_default()), why: unusable.kind.to_string() };
            error.tried = std::iter::once(attempt).chain(error.tried).collect();
        }
        Err(error)
    }

    pub(crate) fn parse(document: &Document, server: &ServerUrl) -> Result<Self, ErrorKind> {
        let Some(resource) = document.string("resource") else {
            return Err(ErrorKind::Malformed { what: "it has no resource".to_owned() });
        };
        if resource.len() > budgets::ADDRESS_BYTES {
            return Err(ErrorKind::Malformed {
                what: "its resource is longer than 2048 characters".to_owned(),
            });
        }
        if !server.is_covered_by(resource) {
            return Err(ErrorKind::ResourceMismatch {
                expected: server.as_resource(),
                found: display_text(resource),
            });
        }
        let servers = document.strings("authorization_servers").unwrap_or_default();
        let scopes: Option<Scopes> = document.strings("scopes_supported").map(Scopes::from);
        Ok(ProtectedResourceMetadata {
            resource: resource.to_owned(),
            authorization_servers: servers
                .iter()
                .take(budgets::AUTHORIZATION_SERVERS)
                .map(|raw| Issuer::parse(raw))
                .collect::<Result<_, _>>()?,
            scopes_supported: scopes.filter(|scopes| !scopes.is_empty()),
            resource_name: display_text_option(document.string("resource_name")),
            requires_dpop: document.is_true("dpop_bound_access_tokens_required"),
        })
    }
}

/// Returns the URL in the challenge. Some servers send only its path; the server's origin is then added.
fn challenged_url(server: &ServerUrl, raw: &str) -> Result<Url, Error> {
    let absolute = if raw.starts_with('/') && !raw.starts_with("//") {
        format!("{}{raw}", server.url().origin().ascii_serialization())
    } else {
        raw.to_owned()
    };
    let endpoint =
        Endpoint::parse("the resource metadata", &absolute).map_err(|kind| failed(server, kind))?;
    Ok(endpoint.url().clone())
}

fn metadata_urls(server: &ServerUrl, challenged: Option<&Url>) -> Vec<Url> {
    let path = server.url().path();
    let mut urls: Vec<Url> = challenged.cloned().into_iter().collect();
    for suffix in [path, path.trim_end_matches('/'), ""] {
        let mut url = server.url().clone();
        url.set_query(None);
        url.set_path(&format!("{WELL_KNOWN}{}", if suffix == "/" { "" } else { suffix }));
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

fn failed(server: &ServerUrl, kind: ErrorKind) -> Error {
    Error::new(STEP, Some(server.host()), kind)
}
