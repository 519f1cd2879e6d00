//! Authorization server metadata (RFC 8414, OpenID Connect Discovery): where to sign in, and how.

use serde::{Deserialize, Serialize};

use crate::{Endpoint, Issuer};

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
