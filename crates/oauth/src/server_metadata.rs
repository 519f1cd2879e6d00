//! Authorization server metadata (RFC 8414, OpenID Connect Discovery).

use serde::{Deserialize, Serialize};
use url::Url;

use crate::display_text::display_text;
use crate::json_document::Document;
use crate::well_known::first_usable;
use crate::{Endpoint, Error, ErrorKind, Flow, HttpClient, Issuer, Step};

const STEP: Step = Step::ServerMetadata;
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// Parameters of the authorization request. An authorization endpoint with one of these in its query is rejected.
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

/// The validated fields of the metadata: the issuer is the requested one, and every endpoint is a valid [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    pub issuer: Issuer,
    /// `None` if no flow of the authorization server has a page. With [`Flow::Browser`], there always is one.
    pub authorization_endpoint: Option<Endpoint>,
    pub token_endpoint: Endpoint,
    pub registration_endpoint: Option<Endpoint>,
    pub revocation_endpoint: Option<Endpoint>,
    /// RFC 8628 §4.
    #[serde(default)]
    pub device_authorization_endpoint: Option<Endpoint>,
    /// `None` if the metadata does not list the grant types.
    #[serde(default)]
    pub grant_types_supported: Option<Vec<String>>,
    pub scopes_supported: Vec<String>,
    /// `None` means only `client_secret_basic` (RFC 8414 §2).
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    pub code_challenge_methods_supported: Vec<String>,
    pub client_id_metadata_document_supported: bool,
    pub authorization_response_iss_parameter_supported: bool,
    /// The algorithms of proofs (RFC 9449 §5.1). `None` if the metadata does not list them.
    #[serde(default)]
    pub dpop_signing_alg_values_supported: Option<Vec<String>>,
}

impl AuthorizationServerMetadata {
    /// Tries all well-known URLs. Returns `None` if the issuer publishes no metadata.
    pub(crate) async fn find(http: &HttpClient, issuer: &Issuer, flow: Flow) -> Result<Option<Self>, Error> {
        let host = issuer.host();
        // Some servers return the metadata of the root issuer at every path. It is rejected here, and the next URL is
        // tried.
        let parse = |document: &Document| {
            Self::parse(document, issuer, flow).map_err(|kind| Error::new(STEP, host.as_deref(), kind))
        };
        first_usable(http, STEP, well_known_urls(issuer), parse, |_, _| false).await
    }

    /// Returns the default endpoints of MCP 2025-03-26, for a server without metadata.
    pub(crate) fn with_default_endpoints(issuer: Issuer) -> Result<Self, ErrorKind> {
        let endpoint = |path: &str| Endpoint::parse("the default endpoint", &format!("{issuer}{path}"));
        Ok(AuthorizationServerMetadata {
            registration_endpoint: Some(endpoint("/register")?),
            ..Self::minimal(issuer.clone(), Some(endpoint("/authorize")?), endpoint("/token")?)
        })
    }

    /// Returns metadata with only the token endpoint, and the authorization endpoint if there is one.
    pub(crate) fn minimal(
        issuer: Issuer,
        authorization_endpoint: Option<Endpoint>,
        token_endpoint: Endpoint,
    ) -> Self {
        AuthorizationServerMetadata {
            issuer,
            authorization_endpoint,
            token_endpoint,
            registration_endpoint: None,
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            grant_types_supported: None,
            scopes_supported: Vec::new(),
            token_endpoint_auth_methods_supported: None,
            code_challenge_methods_supported: Vec::new(),
            client_id_metadata_document_supported: false,
            authorization_response_iss_parameter_supported: false,
            dpop_signing_alg_values_supported: None,
        }
    }

    pub(crate) fn parse(document: &Document, requested: &Issuer, flow: Flow) -> Result<Self, ErrorKind> {
        let missing = |what: &str| ErrorKind::Malformed { what: format!("it has no {what}") };
        let found = document.string("issuer").ok_or_else(|| missing("issuer"))?;
        if !requested.matches(found) {
            return Err(ErrorKind::IssuerMismatch {
                expected: requested.to_string(),
                found: display_text(found),
            });
        }
        let endpoint = |field: &str, name: &str| match document.string(field) {
            Some(raw) => Endpoint::parse(&format!("the {name}"), raw).map(Some),
            None => Ok(None),
        };
        let required = |field: &str, name: &str| endpoint(field, name)?.ok_or_else(|| missing(name));
        Ok(AuthorizationServerMetadata {
            issuer: Issuer::parse(found)?,
            authorization_endpoint: match flow {
                Flow::Browser => Some(required("authorization_endpoint", "authorization endpoint")?),
                Flow::Device | Flow::ClientCredentials | Flow::JwtBearer | Flow::Enterprise => {
                    endpoint("authorization_endpoint", "authorization endpoint")?
                }
            },
            token_endpoint: required("token_endpoint", "token endpoint")?,
            registration_endpoint: endpoint("registration_endpoint", "registration endpoint")?,
            // Sign-out works without revocation, so an invalid endpoint counts as absent.
            revocation_endpoint: endpoint("revocation_endpoint", "revocation endpoint").ok().flatten(),
            // The other ways to sign in work without it.
            device_authorization_endpoint: endpoint(
                "device_authorization_endpoint",
                "device authorization endpoint",
            )
            .ok()
            .flatten(),
            grant_types_supported: document.strings("grant_types_supported"),
            scopes_supported: document.strings("scopes_supported").unwrap_or_default(),
            token_endpoint_auth_methods_supported: document.strings("token_endpoint_auth_methods_supported"),
            code_challenge_methods_supported: document
                .strings("code_challenge_methods_supported")
                .unwrap_or_default(),
            client_id_metadata_document_supported: document.is_true("client_id_metadata_document_supported"),
            authorization_response_iss_parameter_supported: document
                .is_true("authorization_response_iss_parameter_supported"),
            dpop_signing_alg_values_supported: document.strings("dpop_signing_alg_values_supported"),
        })
    }

    /// The first reserved parameter in the query of the authorization endpoint.
    pub(crate) fn reserved_parameter(&self) -> Option<String> {
        let endpoint = self.authorization_endpoint.as_ref()?;
        let mut parameters = endpoint.url().query_pairs();
        parameters.find_map(|(name, _)| RESERVED.contains(&name.as_ref()).then(|| name.into_owned()))
    }

    /// Whether the query of the authorization endpoint already contains this parameter.
    pub(crate) fn has_query_parameter(&self, parameter: &str) -> bool {
        let endpoint = self.authorization_endpoint.as_ref();
        endpoint.is_some_and(|endpoint| endpoint.url().query_pairs().any(|(name, _)| name == parameter))
    }

    /// Whether the metadata lists the grant type, or lists none.
    pub(crate) fn supports_grant_type(&self, grant_type: &str) -> bool {
        self.grant_types_supported.as_ref().is_none_or(|all| all.iter().any(|name| name == grant_type))
    }

    pub(crate) fn supports_scope(&self, scope: &str) -> bool {
        self.scopes_supported.iter().any(|supported| supported == scope)
    }
}

/// Returns the metadata URLs. The well-known part is before the issuer's path (RFC 8414 §3.1 and §5) or after it
/// (OpenID Connect Discovery §4).
fn well_known_urls(issuer: &Issuer) -> Vec<Url> {
    let Some(url) = issuer.url() else { return Vec::new() };
    let path = url.path().trim_end_matches('/');
    let mut paths = vec![format!("{OAUTH}{path}"), format!("{OPENID}{path}")];
    if !path.is_empty() {
        paths.push(format!("{path}{OPENID}"));
    }
    let with_path = |path: String| {
        let mut url = url.clone();
        url.set_path(&path);
        url
    };
    paths.into_iter().map(with_path).collect()
}
