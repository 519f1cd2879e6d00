//! The requests of the device authorization grant (RFC 8628): for the codes, and for the grant.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

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
    AuthMethod, ClientSettings, DeviceAuthorization, Discovered, Endpoint, Error, ErrorKind, Grant,
    GrantBinding, HttpClient, Registered, RegisteredClient, Scopes, Step,
};

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
        let Registered { mut discovered, mut client, audience, parameters, .. } = self;
        let scopes = discovered.requested_scopes(extra_scopes);
        let issuer = discovered.metadata.issuer.host();
        let Some(endpoint) = discovered.own_device_endpoint(settings).cloned() else {
            return Err(Error::new(Step::Authorization, issuer.as_deref(), ErrorKind::DeviceUnsupported));
        };
        let mut other_method = other_method(&client);
        loop {
            let binding = discovered.binding(&client);
            let request = DeviceRequest {
                http,
                endpoint: &endpoint,
                client: &client,
                binding: &binding,
                parameters: &parameters,
            };
            let error = match request.send(&scopes, audience.as_deref(), now).await {
                Ok(response) if !discovered.owns_device_page(settings, response.verification_uri.url()) => {
                    let name = "the page for the code".to_owned();
                    let why = "it belongs to another site than the authorization server".to_owned();
                    let kind = ErrorKind::BadEndpoint { name, why };
                    return Err(Error::new(Step::Authorization, Some(endpoint.host()), kind));
                }
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

/// Whether the server answered the question of the poll.
fn is_understood(error: &Error) -> bool {
    match &error.kind {
        ErrorKind::SlowDown { .. } => true,
        ErrorKind::TokenError { error, .. } => error == "authorization_pending",
        _ => false,
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
    /// The further parameters of the settings.
    parameters: &'a [(String, String)],
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
        for (name, value) in self.parameters {
            form.append_pair(name, value);
        }
        let url = self.endpoint.url().clone();
        let request = Request { method: Method::POST, url, headers, body: form.into_bytes(), prover: None };
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

    /// Asks once for the grant. Returns `None` while the person has not decided, or if the request failed in a way that
    /// may pass. The future must not be dropped, because the code can be used only once.
    pub async fn poll(&mut self, http: &HttpClient, now: Timestamp) -> Result<Option<Grant>, Error> {
        if now >= self.expires_at {
            return Err(self.failed(ErrorKind::Expired));
        }
        let binding = self.binding();
        let mut endpoint = TokenEndpoint { http: http.clone(), step: Step::TokenExchange, now, binding };
        let error = match endpoint.request(TokenRequest::Device(self)).await {
            Ok(grant) => return Ok(Some(grant)),
            Err(failed) => failed.error,
        };
        if self.pace.continues_after(&error) {
            // The next polls begin with the form that the server has understood.
            if is_understood(&error) {
                self.client.registration.auth_method = endpoint.binding.auth_method;
                self.discovered.sends_resource = endpoint.binding.sends_resource;
            }
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
}
