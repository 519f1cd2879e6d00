//! Telling the authorization server that a grant is no longer wanted (RFC 7009).

use secrecy::SecretString;

use crate::{Error, Grant, HttpClient};

/// Revokes the refresh token, or the access token where there is none. Does nothing where the authorization server has
/// no revocation endpoint.
pub async fn revoke(
    _http: &HttpClient,
    _grant: &Grant,
    _client_secret: Option<&SecretString>,
) -> Result<(), Error> {
    unimplemented!()
}
