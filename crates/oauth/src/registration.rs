//! Who this app is to an authorization server: the registration ladder.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::registration_request::register_client;
use crate::{
    AuthMethod, ClientSettings, Discovered, Error, ErrorKind, HttpClient, Issuer, PendingAuthorization,
    RedirectUri, Scopes, Step,
};

/// A secret that ends sooner than a sign-in takes is as good as ended.
const EXPIRY_MARGIN: SignedDuration = SignedDuration::from_mins(10);

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
    pub(crate) discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) audience: Option<String>,
}

impl Discovered {
    /// Climbs down the ladder: the configured client, the metadata document, the kept client, a new registration.
    ///
    /// One redirect URI a registration: where the error is [`ErrorKind::RedirectRejected`], the caller may come again
    /// with the next one.
    pub async fn register(
        self,
        http: &HttpClient,
        request: RegistrationRequest<'_>,
        now: Timestamp,
    ) -> Result<Registered, Error> {
        let RegistrationRequest { settings, redirect, known } = request;
        let client = match self.configured_client(settings, redirect)? {
            Some(client) => client,
            None => match known.filter(|client| self.is_still_known(client, redirect, now)) {
                Some(client) => client,
                None => register_client(http, &self.metadata, redirect, now).await?,
            },
        };
        Ok(Registered { discovered: self, client, audience: settings.audience.clone() })
    }

    fn configured_client(
        &self,
        settings: &ClientSettings,
        redirect: &RedirectUri,
    ) -> Result<Option<RegisteredClient>, Error> {
        let issuer = &self.metadata.issuer;
        let client = |client_id: &str, kind, secret: Option<SecretString>| {
            let supported = self.metadata.token_endpoint_auth_methods_supported.as_deref();
            let auth_method = AuthMethod::choose(secret.is_some(), supported);
            let (client_id, redirect_uri) = (client_id.to_owned(), redirect.clone());
            let (issuer, secret_expires_at) = (issuer.clone(), None);
            let registration =
                ClientRegistration { client_id, auth_method, redirect_uri, issuer, kind, secret_expires_at };
            RegisteredClient { registration, secret }
        };
        if let Some(client_id) = &settings.client_id {
            if let Some(pinned) =
                settings.issuer.as_ref().filter(|pinned| !pinned.is_named_by(issuer.as_str()))
            {
                let kind =
                    ErrorKind::IssuerMismatch { expected: pinned.to_string(), found: issuer.to_string() };
                return Err(Error { step: Step::Registration, host: issuer.host(), kind });
            }
            return Ok(Some(client(
                client_id,
                RegistrationKind::PreRegistered,
                settings.client_secret.clone(),
            )));
        }
        let document = settings.metadata_document.as_ref();
        let document = document.filter(|_| self.metadata.client_id_metadata_document_supported);
        Ok(document.map(|url| client(url.as_str(), RegistrationKind::MetadataDocument, None)))
    }

    fn is_still_known(&self, client: &RegisteredClient, redirect: &RedirectUri, now: Timestamp) -> bool {
        let registration = &client.registration;
        registration.kind == RegistrationKind::Dynamic
            && registration.issuer == self.metadata.issuer
            && registration.redirect_uri == *redirect
            && (client.secret.is_some() || !registration.auth_method.needs_secret())
            && registration.secret_expires_at.is_none_or(|end| end > now + EXPIRY_MARGIN)
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
        extra_scopes: Option<&Scopes>,
        now: Timestamp,
    ) -> Result<PendingAuthorization, Error> {
        PendingAuthorization::begin(self, extra_scopes, now)
    }
}
