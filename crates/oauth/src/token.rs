//! Code for tokens, refresh token for new tokens: the two requests to the token endpoint.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{AuthorizationCode, Error, Grant, HttpClient};

/// Exchanges the code. Run it to its end: the code is gone afterwards.
///
/// Where the authorization server names `resource` as what it refuses, the request is made once more without it, and
/// the grant's binding says so.
pub async fn exchange(_http: &HttpClient, code: AuthorizationCode, _now: Timestamp) -> Result<Grant, Error> {
    let AuthorizationCode { code: _, verifier: _, discovered: _, client: _, scopes: _ } = code;
    unimplemented!()
}

/// Renews the grant at the token endpoint that it is bound to. Run it to its end and store what comes back before
/// using it: the old refresh token may be gone.
pub async fn refresh(
    _http: &HttpClient,
    _grant: &Grant,
    _client_secret: Option<&SecretString>,
    _now: Timestamp,
) -> Result<Grant, Error> {
    unimplemented!()
}
