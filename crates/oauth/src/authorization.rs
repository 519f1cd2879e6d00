//! An authorization request on its way through the browser, and the answer that fits it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::discovery::OFFLINE_ACCESS;
use crate::response::Outcome;
use crate::text::shown;
use crate::{
    AuthorizationResponse, Discovered, Endpoint, Error, ErrorKind, RedirectUri, Registered, RegisteredClient,
    Scopes, Step,
};

const AUDIENCE: &str = "audience";
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Waits for the one authorization response that carries its `state`.
pub struct PendingAuthorization {
    pub(crate) url: Url,
    pub(crate) state: SecretString,
    pub(crate) verifier: SecretString,
    pub(crate) discovered: Discovered,
    pub(crate) client: RegisteredClient,
    pub(crate) scopes: Scopes,
    pub(crate) expires_at: Timestamp,
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
    pub(crate) fn begin(
        registered: Registered,
        extra_scopes: Option<&Scopes>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let Registered { discovered, client, audience } = registered;
        let metadata = &discovered.metadata;
        let failed = |kind| Error { step: Step::Authorization, host: metadata.issuer.host(), kind };
        let scopes = match extra_scopes {
            Some(extra) => discovered.with_offline_access(discovered.scopes.union(extra)),
            None => discovered.scopes.clone(),
        };
        let redirect = client.registration.redirect_uri.as_str();
        let bad_redirect =
            |_| failed(ErrorKind::BadRedirectUri { why: "it is not an absolute address".to_owned() });
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(bad_redirect)?;
        let authorization_endpoint = AuthUrl::from_url(metadata.authorization_endpoint.url().clone());
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
        if scopes.contains(OFFLINE_ACCESS) {
            // OpenID Connect Core §11: without it, no refresh token.
            request = request.add_extra_param("prompt", "consent");
        }
        if let Some(audience) = &audience {
            // Reserved only for whom it is configured: other services may well bring it along themselves.
            if metadata.brings(AUDIENCE) {
                return Err(failed(ErrorKind::ReservedParameter(AUDIENCE.to_owned())));
            }
            request = request.add_extra_param(AUDIENCE, audience.as_str());
        }
        let (url, state) = request.url();
        let expires_at = now + LIFE;
        let (state, verifier) = (state.into_secret().into(), verifier.into_secret().into());
        Ok(PendingAuthorization { url, state, verifier, discovered, client, scopes, expires_at })
    }

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
        self.state.expose_secret()
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
        response: AuthorizationResponse,
        now: Timestamp,
    ) -> Result<AuthorizationCode, Rejected> {
        if response.redirect_uri() != self.redirect_uri() || response.state() != self.state() {
            let error = self.failed(ErrorKind::StateMismatch);
            return Err(Rejected { pending: Some(Box::new(self)), error });
        }
        let over = |kind| Rejected { pending: None, error: self.failed(kind) };
        if now >= self.expires_at {
            return Err(over(ErrorKind::Expired));
        }
        self.check_iss(response.iss.as_deref()).map_err(over)?;
        match response.outcome {
            Outcome::Error { code, description } => Err(over(refusal(code, description, &self.discovered))),
            Outcome::Code(code) => Ok(AuthorizationCode {
                code,
                verifier: self.verifier,
                discovered: self.discovered,
                client: self.client,
                scopes: self.scopes,
            }),
        }
    }

    /// RFC 9207 §2.4: compared as a plain string; what is advertised must be there.
    fn check_iss(&self, received: Option<&str>) -> Result<(), ErrorKind> {
        let metadata = &self.discovered.metadata;
        let fits = match received {
            Some(iss) => iss == metadata.issuer.as_str(),
            None => !metadata.authorization_response_iss_parameter_supported,
        };
        if fits {
            return Ok(());
        }
        Err(ErrorKind::IssMismatch { expected: metadata.issuer.to_string(), received: received.map(shown) })
    }

    fn failed(&self, kind: ErrorKind) -> Error {
        Error { step: Step::Callback, host: self.discovered.metadata.issuer.host(), kind }
    }
}

/// What an error response (RFC 6749 §4.1.2.1, RFC 8707 §2) means to this app.
fn refusal(code: String, description: Option<String>, discovered: &Discovered) -> ErrorKind {
    match code.as_str() {
        "access_denied" => ErrorKind::Denied,
        "invalid_client" | "unauthorized_client" => ErrorKind::InvalidClient { description },
        _ if discovered.sends_resource && is_about_resource(&code, description.as_deref()) => {
            ErrorKind::ResourceRefused { description }
        }
        _ => ErrorKind::AuthorizationError { code: shown(&code), description },
    }
}

/// True when the authorization server names the `resource` parameter as what it does not accept.
pub(crate) fn is_about_resource(error: &str, description: Option<&str>) -> bool {
    let is_about_parameters =
        matches!(error, "invalid_request" | "invalid_parameter" | "unsupported_parameter");
    let names_it = description.is_some_and(|text| text.to_ascii_lowercase().contains("resource"));
    error == "invalid_target" || (is_about_parameters && names_it)
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
