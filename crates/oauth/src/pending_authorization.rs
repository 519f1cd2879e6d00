//! An authorization request that waits for its response.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::authorization_response::Outcome;
use crate::discovery::OFFLINE_ACCESS;
use crate::display_text::display_text;
use crate::known_servers;
use crate::{
    AuthorizationResponse, Discovered, Error, ErrorKind, GrantBinding, Prompt, RedirectUri, Registered,
    RegisteredClient, Scopes, Step,
};

const AUDIENCE: &str = "audience";
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// An authorization request that waits for the response with its `state`.
pub struct PendingAuthorization {
    pub(crate) url: Url,
    pub(crate) state: SecretString,
    pub(crate) verifier: SecretString,
    pub(crate) discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) redirect: RedirectUri,
    pub(crate) scopes: Scopes,
    pub(crate) adds_prompt: bool,
    pub(crate) expires_at: Timestamp,
}

/// An accepted authorization code. It can be exchanged once.
#[derive(Debug)]
pub struct AuthorizationCode {
    pub(crate) code: SecretString,
    pub(crate) verifier: SecretString,
    pub(crate) discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) redirect: RedirectUri,
    pub(crate) scopes: Scopes,
}

/// A response that was not accepted.
#[derive(Debug)]
pub struct Rejected {
    /// The unchanged request if the response belongs to another request. `None` if the sign-in has ended.
    pub pending: Option<Box<PendingAuthorization>>,
    pub error: Error,
}

impl Registered {
    /// Builds the authorization request, which expires after ten minutes. `extra_scopes` adds scopes that were granted
    /// before or that a step-up requests.
    pub fn authorize(self, extra_scopes: &Scopes, now: Timestamp) -> Result<PendingAuthorization, Error> {
        let Registered { discovered, client, audience, parameters, prompt, allow_missing_pkce } = self;
        let metadata = &discovered.metadata;
        let failed = |kind| Error::new(Step::Authorization, metadata.issuer.host().as_deref(), kind);
        let scopes = discovered.requested_scopes(extra_scopes);
        discovered.check_pkce(allow_missing_pkce)?;
        let bad_redirect = |why: &str| failed(ErrorKind::BadRedirectUri { why: why.to_owned() });
        let registered = client.registration.redirect_uri.clone();
        let redirect_uri = registered.ok_or_else(|| bad_redirect("the client was registered without one"))?;
        let redirect = RedirectUrl::new(redirect_uri.as_str().to_owned())
            .map_err(|_| bad_redirect("it is not an absolute URL"))?;
        let Some(endpoint) = metadata.authorization_endpoint.as_ref() else {
            return Err(failed(ErrorKind::Malformed { what: "it has no authorization endpoint".to_owned() }));
        };
        let authorization_endpoint = AuthUrl::from_url(endpoint.url().clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let oauth = BasicClient::new(ClientId::new(client.registration.client_id.clone()))
            .set_auth_uri(authorization_endpoint)
            .set_redirect_uri(redirect);
        let mut request = oauth
            .authorize_url(|| CsrfToken::new_random_len(32))
            .add_scopes(scopes.iter().map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge);
        if discovered.sends_resource {
            request = request.add_extra_param("resource", discovered.resource.as_str());
        }
        // OpenID Connect Core §11: required for a refresh token.
        let adds_prompt = prompt == Prompt::Automatic
            && scopes.contains(OFFLINE_ACCESS)
            && !discovered.quirks.rejects_prompt;
        match &prompt {
            Prompt::Automatic if adds_prompt => request = request.add_extra_param("prompt", "consent"),
            Prompt::Automatic | Prompt::Omitted => {}
            Prompt::Value(value) => request = request.add_extra_param("prompt", value.as_str()),
        }
        for (name, value) in known_servers::authorization_parameters(endpoint.url()) {
            let is_configured = parameters.iter().any(|(configured, _)| configured == name);
            if !is_configured && !metadata.has_query_parameter(name) {
                request = request.add_extra_param(name, value);
            }
        }
        for (name, value) in &parameters {
            if metadata.has_query_parameter(name) {
                return Err(failed(ErrorKind::ReservedParameter(name.clone())));
            }
            request = request.add_extra_param(name.as_str(), value.as_str());
        }
        if let Some(audience) = &audience {
            // Some endpoints already have an audience in their URL, which conflicts only with a configured audience.
            if metadata.has_query_parameter(AUDIENCE) {
                return Err(failed(ErrorKind::ReservedParameter(AUDIENCE.to_owned())));
            }
            request = request.add_extra_param(AUDIENCE, audience.as_str());
        }
        let (url, state) = request.url();
        let expires_at = now + LIFETIME;
        let (state, verifier) = (state.into_secret().into(), verifier.into_secret().into());
        let redirect = redirect_uri;
        Ok(PendingAuthorization {
            url,
            state,
            verifier,
            discovered,
            client,
            redirect,
            scopes,
            adds_prompt,
            expires_at,
        })
    }
}

impl AuthorizationCode {
    /// The binding with which the code will be exchanged.
    pub fn binding(&self) -> GrantBinding {
        self.discovered.binding(&self.client)
    }
}

impl PendingAuthorization {
    /// The URL to open in the browser. It contains `state`, so it must not be logged.
    pub fn authorization_url(&self) -> &Url {
        &self.url
    }

    /// The host of the page that the browser opens.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The value that identifies this request in the response.
    pub fn state(&self) -> &str {
        self.state.expose_secret()
    }

    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect
    }

    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Whether the request contains a `prompt` that the settings do not name.
    pub fn adds_prompt(&self) -> bool {
        self.adds_prompt
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

    /// The binding of the grant that this request leads to.
    pub fn binding(&self) -> GrantBinding {
        self.discovered.binding(&self.client)
    }

    /// Checks the response, in this order:
    ///
    /// 1. The redirect URI and `state`. After a mismatch, the request still waits for its response.
    /// 2. The deadline.
    /// 3. `iss` (RFC 9207), compared as a string.
    /// 4. The outcome: a code or an error.
    pub fn accept(
        self,
        response: AuthorizationResponse,
        now: Timestamp,
    ) -> Result<AuthorizationCode, Rejected> {
        if response.redirect_uri() != self.redirect_uri() || response.state() != self.state() {
            let error = self.failed(ErrorKind::StateMismatch);
            return Err(Rejected { pending: Some(Box::new(self)), error });
        }
        let ended = |kind| Rejected { pending: None, error: self.failed(kind) };
        if now >= self.expires_at {
            return Err(ended(ErrorKind::Expired));
        }
        self.check_iss(response.iss.as_deref()).map_err(ended)?;
        match response.outcome {
            Outcome::Error { code, description } => {
                Err(ended(error_response(code, description, &self.discovered)))
            }
            Outcome::Code(code) => Ok(AuthorizationCode {
                code,
                verifier: self.verifier,
                discovered: self.discovered,
                client: self.client,
                redirect: self.redirect,
                scopes: self.scopes,
            }),
        }
    }

    /// Compares `iss` as a string (RFC 9207 §2.4). A server that advertises `iss` must send it.
    fn check_iss(&self, received: Option<&str>) -> Result<(), ErrorKind> {
        let metadata = &self.discovered.metadata;
        let matches = match received {
            Some(iss) => iss == metadata.issuer.as_str(),
            None => !metadata.authorization_response_iss_parameter_supported,
        };
        if matches {
            return Ok(());
        }
        Err(ErrorKind::CallbackIssuerMismatch {
            expected: metadata.issuer.to_string(),
            received: received.map(display_text),
        })
    }

    fn failed(&self, kind: ErrorKind) -> Error {
        Error::new(Step::Callback, self.discovered.metadata.issuer.host().as_deref(), kind)
    }
}

/// Maps an error response (RFC 6749 §4.1.2.1, RFC 8707 §2).
fn error_response(code: String, description: Option<String>, discovered: &Discovered) -> ErrorKind {
    match code.as_str() {
        "access_denied" => ErrorKind::Denied,
        "invalid_client" | "unauthorized_client" => ErrorKind::InvalidClient { description },
        _ if discovered.sends_resource
            && discovered.has_own_endpoints()
            && is_about_resource(&code, description.as_deref()) =>
        {
            ErrorKind::ResourceRejected { description }
        }
        "invalid_target" => ErrorKind::InvalidTarget { description },
        _ => ErrorKind::AuthorizationError { code: display_text(&code), description },
    }
}

/// Whether the authorization server does not know the `resource` parameter.
pub(crate) fn is_about_resource(error: &str, description: Option<&str>) -> bool {
    let is_about_parameters =
        matches!(error, "invalid_request" | "invalid_parameter" | "unsupported_parameter");
    let mentions_resource = description.is_some_and(|text| text.to_ascii_lowercase().contains("resource"));
    is_about_parameters && mentions_resource
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
