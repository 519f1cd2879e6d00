//! Protected resource metadata (RFC 9728): which authorization servers guard a server.

use url::Url;

use crate::document::{Document, Fetched, fetch};
use crate::text::{shown, shown_option};
use crate::{BearerChallenge, Endpoint, Error, ErrorKind, HttpClient, Issuer, Scopes, ServerUrl, Step};

const STEP: Step = Step::ResourceMetadata;
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const MOST_SERVERS: usize = 5;

/// The fields in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResourceMetadata {
    /// The exact string that goes into every `resource` parameter.
    pub resource: String,
    pub authorization_servers: Vec<Issuer>,
    pub scopes_supported: Option<Scopes>,
    /// For display.
    pub resource_name: Option<String>,
}

impl ProtectedResourceMetadata {
    /// Looks where the challenge points, then at the well-known address with the server's path, then at the root one.
    /// `None` when the server has no such document.
    pub(crate) async fn find(
        http: &HttpClient,
        server: &ServerUrl,
        challenge: Option<&BearerChallenge>,
    ) -> Result<Option<Self>, Error> {
        let named = challenge.and_then(|challenge| challenge.resource_metadata.as_deref());
        let named = named.map(|raw| named_address(server, raw)).transpose()?;
        let mut trouble = None;
        for url in addresses(server, named.as_ref()) {
            let was_named = named.as_ref() == Some(&url);
            match fetch(http, STEP, url).await {
                Ok(Fetched::Document(document)) => match Self::parse(&document, server) {
                    Ok(found) => return Ok(Some(found)),
                    Err(kind @ ErrorKind::Malformed { .. }) => {
                        trouble.get_or_insert(failed(server, kind));
                    }
                    Err(kind) => return Err(failed(server, kind)),
                },
                Ok(Fetched::NotJson) if was_named => {
                    trouble.get_or_insert(failed(server, ErrorKind::NotJson));
                }
                Ok(Fetched::NotJson | Fetched::Absent) => {}
                Err(error) if error.is_about_one_document() => {
                    trouble.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        trouble.map_or(Ok(None), Err)
    }

    fn parse(document: &Document, server: &ServerUrl) -> Result<Self, ErrorKind> {
        let Some(resource) = document.string("resource") else {
            return Err(ErrorKind::Malformed {
                what: "it does not say which resource it is about".to_owned(),
            });
        };
        if !server.is_covered_by(resource) {
            return Err(ErrorKind::ResourceMismatch {
                expected: server.as_resource(),
                found: shown(resource),
            });
        }
        let servers = document.strings("authorization_servers").unwrap_or_default();
        let scopes: Option<Scopes> = document.strings("scopes_supported").map(Scopes::from);
        Ok(ProtectedResourceMetadata {
            resource: resource.to_owned(),
            authorization_servers: servers
                .iter()
                .take(MOST_SERVERS)
                .map(|raw| Issuer::parse(raw))
                .collect::<Result<_, _>>()?,
            scopes_supported: scopes.filter(|scopes| !scopes.is_empty()),
            resource_name: shown_option(document.string("resource_name")),
        })
    }
}

/// The challenge's address; some servers write it without their origin.
fn named_address(server: &ServerUrl, raw: &str) -> Result<Url, Error> {
    let absolute = if raw.starts_with('/') && !raw.starts_with("//") {
        format!("{}{raw}", server.url().origin().ascii_serialization())
    } else {
        raw.to_owned()
    };
    let endpoint =
        Endpoint::parse("the resource metadata", &absolute).map_err(|kind| failed(server, kind))?;
    Ok(endpoint.url().clone())
}

fn addresses(server: &ServerUrl, named: Option<&Url>) -> Vec<Url> {
    let path = server.url().path();
    let mut urls: Vec<Url> = named.cloned().into_iter().collect();
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
