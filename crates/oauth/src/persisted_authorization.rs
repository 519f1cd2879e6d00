//! Serialization of a pending authorization, so that the response can arrive after a restart.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ClientRegistration, Discovered, PendingAuthorization, RegisteredClient, Scopes};

const VERSION: u32 = 1;

/// The JSON inside the [`SecretString`].
#[derive(Serialize, Deserialize)]
struct PersistedAuthorization {
    version: u32,
    url: Url,
    state: String,
    verifier: String,
    discovered: Discovered,
    registration: ClientRegistration,
    client_secret: Option<String>,
    scopes: Scopes,
    #[serde(default)]
    adds_prompt: bool,
    expires_at: Timestamp,
}

impl PendingAuthorization {
    /// Serializes the whole request, including the verifier and the client secret, for the secret store only.
    pub fn to_secret(&self) -> SecretString {
        let persisted = PersistedAuthorization {
            version: VERSION,
            url: self.url.clone(),
            state: self.state.expose_secret().to_owned(),
            verifier: self.verifier.expose_secret().to_owned(),
            discovered: self.discovered.clone(),
            registration: self.client.registration.clone(),
            client_secret: self.client.secret.as_ref().map(|secret| secret.expose_secret().to_owned()),
            scopes: self.scopes.clone(),
            adds_prompt: self.adds_prompt,
            expires_at: self.expires_at,
        };
        serde_json::to_string(&persisted).unwrap_or_default().into()
    }

    /// Restores a request from [`PendingAuthorization::to_secret`], even if it has expired. Returns `None` for any
    /// other text.
    pub fn from_secret(secret: &SecretString) -> Option<Self> {
        let persisted: PersistedAuthorization = serde_json::from_str(secret.expose_secret()).ok()?;
        let redirect = persisted.registration.redirect_uri.clone()?;
        (persisted.version == VERSION).then(|| PendingAuthorization {
            url: persisted.url,
            state: persisted.state.into(),
            verifier: persisted.verifier.into(),
            discovered: persisted.discovered,
            client: RegisteredClient {
                registration: persisted.registration,
                secret: persisted.client_secret.map(Into::into),
            },
            redirect,
            scopes: persisted.scopes,
            adds_prompt: persisted.adds_prompt,
            expires_at: persisted.expires_at,
        })
    }
}
