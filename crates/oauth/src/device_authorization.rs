//! A device authorization (RFC 8628): the codes that wait until the person has entered one of them on any device.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::poll_pace::PollPace;
use crate::{
    ClientRegistration, Discovered, Endpoint, Error, ErrorKind, GrantBinding, RegisteredClient, Scopes, Step,
};

const VERSION: u32 = 1;

/// A request that waits until the person has entered the code and approved it.
///
/// ```no_run
/// # use jiff::Timestamp;
/// # use usher_oauth::{DeviceAuthorization, Error, Grant, HttpClient};
/// async fn wait(http: &HttpClient, mut device: DeviceAuthorization) -> Result<Grant, Error> {
///     println!("Enter {} at {}", device.user_code(), device.verification_uri().as_str());
///     loop {
///         tokio::time::sleep(device.next_poll(Timestamp::now())?).await;
///         if let Some(grant) = device.poll(http, Timestamp::now()).await? {
///             return Ok(grant);
///         }
///     }
/// }
/// ```
pub struct DeviceAuthorization {
    pub(crate) device_code: SecretString,
    pub(crate) user_code: String,
    pub(crate) verification_uri: Endpoint,
    pub(crate) verification_uri_complete: Option<Endpoint>,
    pub(crate) discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) scopes: Scopes,
    pub(crate) expires_at: Timestamp,
    pub(crate) pace: PollPace,
}

impl DeviceAuthorization {
    /// The code that the person enters. It has at most 64 characters and contains nothing invisible.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// The page where the person enters the code.
    pub fn verification_uri(&self) -> &Endpoint {
        &self.verification_uri
    }

    /// The page with the code already entered, if the server offers one. It belongs to the same site. The person should
    /// compare the code on the page with [`DeviceAuthorization::user_code`].
    pub fn verification_uri_complete(&self) -> Option<&Endpoint> {
        self.verification_uri_complete.as_ref()
    }

    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
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

    /// The binding of the grant that this request leads to.
    pub fn binding(&self) -> GrantBinding {
        self.discovered.binding(&self.client)
    }

    /// Returns the time to wait before the next poll. The wait counts from the last response, also before the first
    /// poll. Returns [`ErrorKind::Expired`] after the code has expired, because some servers report an expired code as
    /// pending forever.
    pub fn next_poll(&self, now: Timestamp) -> Result<Duration, Error> {
        let left = Duration::try_from(self.expires_at.duration_since(now)).unwrap_or_default();
        if left.is_zero() {
            return Err(self.failed(ErrorKind::Expired));
        }
        Ok(self.pace.wait().min(left))
    }

    pub(crate) fn failed(&self, kind: ErrorKind) -> Error {
        Error::new(Step::TokenExchange, Some(self.discovered.metadata.token_endpoint.host()), kind)
    }
}

/// The JSON inside the [`SecretString`].
#[derive(Serialize, Deserialize)]
struct Persisted {
    version: u32,
    device_code: String,
    user_code: String,
    verification_uri: Endpoint,
    verification_uri_complete: Option<Endpoint>,
    discovered: Discovered,
    registration: ClientRegistration,
    client_secret: Option<String>,
    scopes: Scopes,
    expires_at: Timestamp,
    interval_seconds: u64,
}

impl DeviceAuthorization {
    /// Serializes the whole request, including the device code and the client secret, for the secret store only.
    pub fn to_secret(&self) -> SecretString {
        let persisted = Persisted {
            version: VERSION,
            device_code: self.device_code.expose_secret().to_owned(),
            user_code: self.user_code.clone(),
            verification_uri: self.verification_uri.clone(),
            verification_uri_complete: self.verification_uri_complete.clone(),
            discovered: self.discovered.clone(),
            registration: self.client.registration.clone(),
            client_secret: self.client.secret.as_ref().map(|secret| secret.expose_secret().to_owned()),
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
            interval_seconds: self.pace.interval().as_secs(),
        };
        serde_json::to_string(&persisted).unwrap_or_default().into()
    }

    /// Restores a request from [`DeviceAuthorization::to_secret`], even if it has expired. Returns `None` for any other
    /// text.
    pub fn from_secret(secret: &SecretString) -> Option<Self> {
        let persisted: Persisted = serde_json::from_str(secret.expose_secret()).ok()?;
        (persisted.version == VERSION).then(|| DeviceAuthorization {
            device_code: persisted.device_code.into(),
            user_code: persisted.user_code,
            verification_uri: persisted.verification_uri,
            verification_uri_complete: persisted.verification_uri_complete,
            discovered: persisted.discovered,
            client: RegisteredClient {
                registration: persisted.registration,
                secret: persisted.client_secret.map(Into::into),
            },
            scopes: persisted.scopes,
            expires_at: persisted.expires_at,
            pace: PollPace::new(Some(persisted.interval_seconds)),
        })
    }
}

impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("issuer", &self.discovered.metadata.issuer)
            .field("verification_uri", &self.verification_uri)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
