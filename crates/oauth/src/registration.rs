//! Who this app is to an authorization server: the registration ladder.

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    AuthMethod, ClientSettings, Discovered, Error, HttpClient, Issuer, PendingAuthorization, RedirectUri,
    Scopes,
};

/// How a client came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationKind {
    /// Registered by hand and configured.
    PreRegistered,
    /// A client id metadata document.
    MetadataDocument,
    /// Dynamic client registration (RFC 7591).
    Dynamic,
}

/// The public half of a client, kept per issuer and redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRegistration {
    pub client_id: String,
    pub auth_method: AuthMethod,
    pub redirect_uri: RedirectUri,
    /// The one authorization server that may see this client.
    pub issuer: Issuer,
    pub kind: RegistrationKind,
    /// When the secret ends; absent: never.
    pub secret_expires_at: Option<Timestamp>,
}

/// A client with its secret, if it has one.
#[derive(Clone)]
pub struct RegisteredClient {
    pub registration: ClientRegistration,
    pub secret: Option<SecretString>,
}

impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.secret.as_ref().map(|_| "[redacted]");
        f.debug_struct("RegisteredClient")
            .field("registration", &self.registration)
            .field("secret", &secret)
            .finish()
    }
}

/// What [`Discovered::register`] goes by.
#[derive(Clone, Debug)]
pub struct RegistrationRequest<'a> {
    pub settings: &'a ClientSettings,
    pub redirect: &'a RedirectUri,
    /// The client kept from an earlier sign-in. One of another issuer or redirect, one whose secret is lost or about
    /// to end, and one that was not registered dynamically are ignored.
    pub known: Option<RegisteredClient>,
}

/// An authorization server that knows this app.
#[derive(Clone, Debug)]
pub struct Registered {
    discovered: Discovered,
    client: RegisteredClient,
    audience: Option<String>,
}

impl Discovered {
    /// Climbs down the ladder: the configured client, the metadata document, the kept client, a new registration.
    ///
    /// One redirect URI a registration: where the error is [`ErrorKind::RedirectRejected`](crate::ErrorKind), the
    /// caller may come again with the next one.
    pub async fn register(
        self,
        _http: &HttpClient,
        _request: RegistrationRequest<'_>,
        _now: Timestamp,
    ) -> Result<Registered, Error> {
        unimplemented!()
    }
}

impl Registered {
    pub fn client(&self) -> &RegisteredClient {
        &self.client
    }

    pub fn discovered(&self) -> &Discovered {
        &self.discovered
    }

    /// Builds the authorization request. `extra_scopes` (what was granted before, and what a step-up asks for) are
    /// added to those discovered. The request is good for ten minutes.
    pub fn authorize(
        self,
        _extra_scopes: Option<&Scopes>,
        _now: Timestamp,
    ) -> Result<PendingAuthorization, Error> {
        let _ = self.audience;
        unimplemented!()
    }
}
