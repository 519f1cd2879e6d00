//! A valid authorization request (RFC 6749 §4.1.1).

use super::client::Client;
use super::redirect;
use super::scopes::Scopes;

#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) client: Client,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) scopes: Scopes,
    pub(crate) nonce: Option<String>,
}

impl AuthorizationRequest {
    /// Returns the redirect URI with the response `parameters`, then `state` and `iss` (RFC 9207).
    pub(crate) fn response_uri(&self, parameters: &[(&str, &str)], issuer: &str) -> String {
        let mut parameters = parameters.to_vec();
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", issuer));
        redirect::with_response(&self.redirect_uri, &parameters)
    }
}
