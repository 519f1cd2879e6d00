//! A waiting authorization request as one secret, so that an answer can come after a restart.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ClientRegistration, Discovered, PendingAuthorization, RegisteredClient, Scopes};

const VERSION: u32 = 1;

/// Exists only on the way into and out of the [`SecretString`].
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    url: Url,
    state: String,
    verifier: String,
    discovered: Discovered,
    registration: ClientRegistration,
    client_secret: Option<String>,
    scopes: Scopes,
    expires_at: Timestamp,
}

impl PendingAuthorization {
    /// Everything, with the verifier and the client secret: for the secret store alone.
    pub fn to_secret(&self) -> SecretString {
        let kept = Kept {
            version: VERSION,
            url: self.url.clone(),
            state: self.state.expose_secret().to_owned(),
            verifier: self.verifier.expose_secret().to_owned(),
            discovered: self.discovered.clone(),
            registration: self.client.registration.clone(),
            client_secret: self.client.secret.as_ref().map(|secret| secret.expose_secret().to_owned()),
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
        };
        serde_json::to_string(&kept).unwrap_or_default().into()
    }

    /// What [`PendingAuthorization::to_secret`] gave; `None` for anything else. Whether it has expired, its `accept`
    /// tells.
    pub fn from_secret(secret: &SecretString) -> Option<Self> {
        let kept: Kept = serde_json::from_str(secret.expose_secret()).ok()?;
        (kept.version == VERSION).then(|| PendingAuthorization {
            url: kept.url,
            state: kept.state.into(),
            verifier: kept.verifier.into(),
            discovered: kept.discovered,
            client: RegisteredClient {
                registration: kept.registration,
                secret: kept.client_secret.map(Into::into),
            },
            scopes: kept.scopes,
            expires_at: kept.expires_at,
        })
    }
}
