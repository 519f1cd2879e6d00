//! A sign-in as it is kept: the tokens and what they are bound to.

use jiff::Timestamp;
use secrecy::SecretString;

/// What one server's sign-in needs to go on after a restart.
///
/// The fields from `issuer` on are the binding: a refresh token goes to no other endpoint than the one it
/// came from. `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct StoredGrant {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    /// When the access token ends; `None` where the server did not say (use it until a 401).
    pub expires_at: Option<Timestamp>,
    /// In the order the server granted them.
    pub scopes: Vec<String>,
    /// Who signed in, for display only.
    pub account: Option<String>,
    pub issuer: String,
    pub token_endpoint: String,
    pub revocation_endpoint: Option<String>,
    pub client_id: String,
    /// The resource indicator the tokens were asked for (RFC 8707).
    pub resource: String,
    /// Whether a refresh names the resource too; a few authorization servers refuse it.
    pub sends_resource: bool,
    /// The client's authentication at the token endpoint, in the words of RFC 7591 §2.
    pub auth_method: String,
}
