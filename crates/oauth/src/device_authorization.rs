//! The device authorization grant (RFC 8628): the person enters a code on any device, and Usher polls for the grant.

use std::fmt;
use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::client_authentication::{ClientAuthentication, Form, form_headers};
use crate::device_response::DeviceResponse;
use crate::echo::Sent;
use crate::http_client::Request;
use crate::json_document::{Document, is_transient, transient};
use crate::poll_pace::PollPace;
use crate::token_endpoint::TokenEndpoint;
use crate::token_request::TokenRequest;
use crate::token_response::error_response;
use crate::{
    AuthMethod, ClientRegistration, ClientSettings, Discovered, Endpoint, Error, ErrorKind, Grant,
    GrantBinding, HttpClient, Registered, RegisteredClient, Scopes, Step,
};

/// The grant type (RFC 8628 §3.4).
pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

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
    user_code: String,
    verification_uri: Endpoint,
    verification_uri_complete: Option<Endpoint>,
    discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) scopes: Scopes,
    expires_at: Timestamp,
    pace: PollPace,
}

impl Registered {
    /// Requests the codes. `extra_scopes` adds scopes that were granted before or that a step-up requests.
    ///
    /// If the authorization server rejects the client authentication method or `resource`, other forms of the request
    /// are tried, as for a token request.
    pub async fn authorize_device(
        self,
        http: &HttpClient,
        settings: &ClientSettings,
        extra_scopes: &Scopes,
        now: Timestamp,
    ) -> Result<DeviceAuthorization, Error> {
        let Registered { mut discovered, mut client, audience, .. } = self;
        let scopes = discovered.requested_scopes(extra_scopes);
        let issuer = discovered.metadata.issuer.host();
        let Some(endpoint) = discovered.own_device_endpoint(settings).cloned() else {
            return Err(Error::new(Step::Authorization, issuer.as_deref(), ErrorKind::DeviceUnsupported));
        };
        let mut other_method = other_method(&client);
        loop {
            let binding = discovered.binding(&client);
            let request = DeviceRequest { http, endpoint: &endpoint, client: &client, binding: &binding };
            let error = match request.send(&scopes, audience.as_deref(), now).await {
                Ok(response) => {
                    return Ok(DeviceAuthorization::new(response, discovered, client, scopes, now));
                }
                Err(error) => error,
            };
            if matches!(error.kind, ErrorKind::ResourceRejected { .. }) && binding.may_omit_resource() {
                discovered.sends_resource = false;
            } else if error.is_registration_lost()
                && let Some(method) = other_method.take()
            {
                client.registration.auth_method = method;
            } else {
                return Err(error);
            }
        }
    }
}

/// Returns the method to try after a rejection, if the client has a secret.
fn other_method(client: &RegisteredClient) -> Option<AuthMethod> {
    client.secret.as_ref()?;
    match client.registration.auth_method {
        AuthMethod::ClientSecretBasic => Some(AuthMethod::ClientSecretPost),
        AuthMethod::ClientSecretPost | AuthMethod::None => Some(AuthMethod::ClientSecretBasic),
        AuthMethod::PrivateKeyJwt => None,
    }
}

/// One request to the device authorization endpoint.
struct DeviceRequest<'a> {
    http: &'a HttpClient,
    endpoint: &'a Endpoint,
    client: &'a RegisteredClient,
    binding: &'a GrantBinding,
}

impl DeviceRequest<'_> {
    async fn send(
        &self,
        scopes: &Scopes,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<DeviceResponse, Error> {
        let failed = |kind| Error::new(Step::Authorization, Some(self.endpoint.host()), kind);
        let (mut headers, mut form) = (form_headers(), Form::default());
        let secret = self.client.secret.as_ref();
        let (client_id, method) = (self.binding.client_id.as_str(), self.binding.auth_method);
        let authentication = ClientAuthentication { client_id, method, secret, key: None };
        authentication.apply(&mut headers, &mut form).map_err(failed)?;
        if !scopes.is_empty() {
            form.append_pair("scope", &scopes.to_string());
        }
        if self.binding.sends_resource {
            form.append_pair("resource", &self.binding.resource);
        }
        if let Some(audience) = audience {
            form.append_pair("audience", audience);
        }
        let url = self.endpoint.url().clone();
        let request = Request { method: Method::POST, url, headers, body: form.into_bytes() };
        let response = self.http.send(Step::Authorization, request, self.http.deadlines().request).await?;
        if is_transient(response.status) {
            return Err(failed(transient(&response, Some(now))));
        }
        let sent = Sent::new(secret.map(ExposeSecret::expose_secret));
        let sent = match secret {
            Some(secret) => sent.with_basic(client_id, secret.expose_secret()),
            None => sent,
        };
        // GitHub reports errors with the status of a success.
        let document = Document::parse(&response.body);
        let is_error = document.as_ref().is_ok_and(|document| document.string("error").is_some());
        if !response.status.is_success() || is_error {
            return Err(failed(error_response(&response, &sent)));
        }
        let parsed = DeviceResponse::parse(&document.map_err(failed)?).map_err(failed)?;
        let addresses = [Some(&parsed.verification_uri), parsed.verification_uri_complete.as_ref()];
        for address in addresses.into_iter().flatten() {
            self.http.check_literal(address.url()).map_err(failed)?;
        }
        Ok(parsed)
    }
}

impl DeviceAuthorization {
    fn new(
        response: DeviceResponse,
        discovered: Discovered,
        client: RegisteredClient,
        scopes: Scopes,
        now: Timestamp,
    ) -> Self {
        DeviceAuthorization {
            device_code: response.device_code,
            user_code: response.user_code,
            verification_uri: response.verification_uri,
            verification_uri_complete: response.verification_uri_complete,
            discovered,
            client,
            scopes,
            expires_at: now + SignedDuration::try_from(response.lifetime).unwrap_or_default(),
            pace: PollPace::new(response.interval),
        }
    }

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
    /// pending for ever.
    pub fn next_poll(&self, now: Timestamp) -> Result<Duration, Error> {
        let left = Duration::try_from(self.expires_at.duration_since(now)).unwrap_or_default();
        if left.is_zero() {
            return Err(self.failed(ErrorKind::Expired));
        }
        Ok(self.pace.wait().min(left))
    }

    /// Asks once for the grant. Returns `None` while the person has not decided, or if the request failed in a way that
    /// may pass. The future must not be dropped, because the code can be used only once.
    pub async fn poll(&mut self, http: &HttpClient, now: Timestamp) -> Result<Option<Grant>, Error> {
        if now >= self.expires_at {
            return Err(self.failed(ErrorKind::Expired));
        }
        let binding = self.binding();
        let endpoint = TokenEndpoint { http: http.clone(), step: Step::TokenExchange, now, binding };
        let error = match endpoint.request(TokenRequest::Device(self)).await {
            Ok(grant) => return Ok(Some(grant)),
            Err(failed) => failed.error,
        };
        if self.pace.continues_after(&error) {
            return Ok(None);
        }
        Err(match &error.kind {
            ErrorKind::TokenError { error: code, .. } => match code.as_str() {
                // Microsoft Entra ID uses the second name.
                "access_denied" | "authorization_declined" => self.failed(ErrorKind::Denied),
                "expired_token" => self.failed(ErrorKind::Expired),
                _ => error,
            },
            _ => error,
        })
    }

    fn failed(&self, kind: ErrorKind) -> Error {
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
