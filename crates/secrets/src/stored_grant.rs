//! A grant as it is stored: the tokens and their binding.

use jiff::Timestamp;
use secrecy::SecretString;

/// The stored tokens of one server.
///
/// The fields from `issuer` on are the binding. The refresh token is sent only to `token_endpoint`. `Debug` redacts the
/// tokens and the key.
#[derive(Clone, Debug)]
pub struct StoredGrant {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    /// The expiry of the access token. `None` if the server did not state it; the token is then used until a 401.
    pub expires_at: Option<Timestamp>,
    /// The granted scopes, in the order of the server's response.
    pub scopes: Vec<String>,
    /// The signed-in account, for display only.
    pub account: Option<String>,
    pub issuer: String,
    pub token_endpoint: String,
    pub revocation_endpoint: Option<String>,
    pub client_id: String,
    /// The resource indicator of the tokens (RFC 8707).
    pub resource: String,
    /// Whether requests send the resource. A few authorization servers reject it.
    pub sends_resource: bool,
    /// Whether a refresh repeats the scopes, which a few authorization servers require.
    pub sends_scope: bool,
    /// Whether the endpoints were configured in `mcp.json`.
    pub has_configured_endpoints: bool,
    /// The client's authentication method at the token endpoint, as named in RFC 7591 §2.
    pub auth_method: String,
    /// The private key to which the tokens are bound (RFC 9449), if they are bound to one.
    pub dpop_key: Option<SecretString>,
    /// The type of the access token: `Bearer`, or `DPoP` if it is bound to `dpop_key`.
    pub token_type: String,
}
