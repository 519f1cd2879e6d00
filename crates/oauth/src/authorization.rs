//! An authorization request on its way through the browser, and the answer that fits it.

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use crate::{AuthorizationResponse, Discovered, Endpoint, Error, RedirectUri, RegisteredClient, Scopes};

/// Waits for the one authorization response that carries its `state`.
pub struct PendingAuthorization {
    url: Url,
    state: SecretString,
    verifier: SecretString,
    discovered: Discovered,
    client: RegisteredClient,
    scopes: Scopes,
    expires_at: Timestamp,
}

/// A code that fits the request it answers. It can be exchanged once.
pub struct AuthorizationCode {
    pub(crate) code: SecretString,
    pub(crate) verifier: SecretString,
    pub(crate) discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) scopes: Scopes,
}

/// Why an answer was not accepted.
#[derive(Debug)]
pub struct Rejected {
    /// Still waiting, untouched: the answer belonged to somebody else. `None` when the sign-in is over.
    pub pending: Option<Box<PendingAuthorization>>,
    pub error: Error,
}

impl PendingAuthorization {
    /// For the browser. It carries `state`, so it belongs in no log.
    pub fn authorization_url(&self) -> &Url {
        &self.url
    }

    /// The host that the person will see in the browser.
    pub fn host(&self) -> &str {
        self.discovered.metadata.authorization_endpoint.host()
    }

    pub fn authorization_endpoint(&self) -> &Endpoint {
        &self.discovered.metadata.authorization_endpoint
    }

    /// For finding the request that an answer belongs to.
    pub fn state(&self) -> &str {
        secrecy::ExposeSecret::expose_secret(&self.state)
    }

    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.client.registration.redirect_uri
    }

    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    pub fn client(&self) -> &RegisteredClient {
        &self.client
    }

    pub fn discovered(&self) -> &Discovered {
        &self.discovered
    }

    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Accepts the answer: redirect and `state` first (a stranger's answer leaves the request waiting), then the
    /// deadline, then `iss` (RFC 9207) by plain comparison, then `error`, then the code.
    pub fn accept(
        self,
        _response: AuthorizationResponse,
        _now: Timestamp,
    ) -> Result<AuthorizationCode, Rejected> {
        let _ = self.verifier;
        unimplemented!()
    }
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization")
            .field("issuer", &self.discovered.metadata.issuer)
            .field("redirect_uri", self.redirect_uri())
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCode")
            .field("issuer", &self.discovered.metadata.issuer)
            .finish_non_exhaustive()
    }
}
