//! Authorization server metadata (RFC 8414, OpenID Connect Discovery): where to sign in, and how.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::document::{Document, Fetched, fetch};
use crate::text::shown;
use crate::{Endpoint, Error, ErrorKind, HttpClient, Issuer, Step};

const STEP: Step = Step::ServerMetadata;
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// What the authorization request sets itself; an endpoint that brings one of these along is refused.
const RESERVED: [&str; 16] = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "prompt",
    "request",
    "request_uri",
    "code",
    "iss",
    "error",
];

/// The fields in use, checked: the issuer is the one asked for, and every endpoint passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    pub issuer: Issuer,
    pub authorization_endpoint: Endpoint,
    pub token_endpoint: Endpoint,
    pub registration_endpoint: Option<Endpoint>,
    pub revocation_endpoint: Option<Endpoint>,
    pub scopes_supported: Vec<String>,
    /// Absent means `client_secret_basic` alone (RFC 8414 §2).
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    pub code_challenge_methods_supported: Vec<String>,
    pub client_id_metadata_document_supported: bool,
    pub authorization_response_iss_parameter_supported: bool,
}

impl AuthorizationServerMetadata {
    /// Tries all forms of the well-known address. `None` when the issuer has no such document.
    pub(crate) async fn find(http: &HttpClient, issuer: &Issuer) -> Result<Option<Self>, Error> {
        let host = issuer.host();
        let failed = |kind| Error { step: STEP, host: host.clone(), kind };
        let mut trouble = None;
        for url in addresses(issuer) {
            match fetch(http, STEP, url).await {
                Ok(Fetched::Document(document)) => match Self::parse(&document, issuer) {
                    Ok(found) => return Ok(Some(found)),
                    // The root's document, served for every path below it: the right one may lie at another form.
                    Err(kind @ (ErrorKind::IssuerMismatch { .. } | ErrorKind::Malformed { .. })) => {
                        trouble.get_or_insert(failed(kind));
                    }
                    Err(kind) => return Err(failed(kind)),
                },
                Ok(Fetched::NotJson) => {
                    trouble.get_or_insert(failed(ErrorKind::NotJson));
                }
                Ok(Fetched::Absent) => {}
                Err(error) if error.is_about_one_document() => {
                    trouble.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        trouble.map_or(Ok(None), Err)
    }

    /// The endpoints that MCP 2025-03-26 assumes where there is no document.
    pub(crate) fn assumed(issuer: Issuer) -> Result<Self, ErrorKind> {
        let at = |path: &str| Endpoint::parse("the assumed endpoint", &format!("{issuer}{path}"));
        Ok(AuthorizationServerMetadata {
            authorization_endpoint: at("/authorize")?,
            token_endpoint: at("/token")?,
            registration_endpoint: Some(at("/register")?),
            ..Self::bare(issuer.clone(), at("/authorize")?, at("/token")?)
        })
    }

    /// Nothing but the two endpoints that every authorization server has.
    pub(crate) fn bare(issuer: Issuer, authorization_endpoint: Endpoint, token_endpoint: Endpoint) -> Self {
        AuthorizationServerMetadata {
            issuer,
            authorization_endpoint,
            token_endpoint,
            registration_endpoint: None,
            revocation_endpoint: None,
            scopes_supported: Vec::new(),
            token_endpoint_auth_methods_supported: None,
            code_challenge_methods_supported: Vec::new(),
            client_id_metadata_document_supported: false,
            authorization_response_iss_parameter_supported: false,
        }
    }

    fn parse(document: &Document, asked: &Issuer) -> Result<Self, ErrorKind> {
        let missing = |what: &str| ErrorKind::Malformed { what: format!("it names no {what}") };
        let found = document.string("issuer").ok_or_else(|| missing("issuer"))?;
        if !asked.is_named_by(found) {
            return Err(ErrorKind::IssuerMismatch { expected: asked.to_string(), found: shown(found) });
        }
        let endpoint = |field: &str, name: &str| match document.string(field) {
            Some(raw) => Endpoint::parse(&format!("the {name}"), raw).map(Some),
            None => Ok(None),
        };
        let required = |field: &str, name: &str| endpoint(field, name)?.ok_or_else(|| missing(name));
        Ok(AuthorizationServerMetadata {
            issuer: Issuer::parse(found)?,
            authorization_endpoint: required("authorization_endpoint", "authorization endpoint")?,
            token_endpoint: required("token_endpoint", "token endpoint")?,
            registration_endpoint: endpoint("registration_endpoint", "registration endpoint")?,
            // Signing out works without it, so a bad one is as good as none.
            revocation_endpoint: endpoint("revocation_endpoint", "revocation endpoint").ok().flatten(),
            scopes_supported: document.strings("scopes_supported").unwrap_or_default(),
            token_endpoint_auth_methods_supported: document.strings("token_endpoint_auth_methods_supported"),
            code_challenge_methods_supported: document
                .strings("code_challenge_methods_supported")
                .unwrap_or_default(),
            client_id_metadata_document_supported: document.is_true("client_id_metadata_document_supported"),
            authorization_response_iss_parameter_supported: document
                .is_true("authorization_response_iss_parameter_supported"),
        })
    }

    /// The first parameter of the authorization endpoint's own query that only this app may set.
    pub(crate) fn reserved_parameter(&self) -> Option<String> {
        let mut parameters = self.authorization_endpoint.url().query_pairs();
        parameters.find_map(|(name, _)| RESERVED.contains(&name.as_ref()).then(|| name.into_owned()))
    }

    /// Whether the authorization endpoint's own query brings this parameter along.
    pub(crate) fn brings(&self, parameter: &str) -> bool {
        self.authorization_endpoint.url().query_pairs().any(|(name, _)| name == parameter)
    }

    pub(crate) fn supports_scope(&self, scope: &str) -> bool {
        self.scopes_supported.iter().any(|supported| supported == scope)
    }
}

/// RFC 8414 §3.1 and §5, OpenID Connect Discovery §4: inserted before the issuer's path, and appended to it.
fn addresses(issuer: &Issuer) -> Vec<Url> {
    let Some(url) = issuer.url() else { return Vec::new() };
    let path = url.path().trim_end_matches('/');
    let mut paths = vec![format!("{OAUTH}{path}"), format!("{OPENID}{path}")];
    if !path.is_empty() {
        paths.push(format!("{path}{OPENID}"));
    }
    let at = |path: String| {
        let mut url = url.clone();
        url.set_path(&path);
        url
    };
    paths.into_iter().map(at).collect()
}
