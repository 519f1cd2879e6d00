//! The token endpoint: code exchange and refresh.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::client_authentication::{AssertionKey, ClientAuthentication, Form, form_headers};
use crate::echo::Sent;
use crate::http_client::{Prover, Request, Response};
use crate::known_servers;
use crate::token_request::TokenRequest;
use crate::token_response::{self, TokenResponse, TokenType, proof_refusal};
use crate::{
    AuthMethod, AuthorizationCode, DpopBinding, DpopKey, Error, ErrorKind, Grant, GrantBinding, HttpClient,
    ProofRetries, RefreshToken, Step,
};

/// Exchanges the code. The future must not be dropped, because a code can be used only once.
///
/// If the authorization server rejects the form of the request, other forms are tried: without `resource`, or with
/// another client authentication method. The grant's binding records the form that succeeded. If the binding asks for
/// proofs, or if the authorization server does, the request proves a new key (RFC 9449).
pub async fn exchange(http: &HttpClient, code: AuthorizationCode, now: Timestamp) -> Result<Grant, Error> {
    let mut endpoint =
        TokenEndpoint { http: http.clone(), step: Step::TokenExchange, now, binding: code.binding() };
    let request = TokenRequest::Exchange(&code);
    // A refresh token without an access token is dropped, because there is no grant to store it in.
    endpoint.request(request).await.map_err(|failed| failed.error)
}

/// A refresh that returned no usable access token.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct RefreshError {
    pub error: Error,
    /// The old grant with the new refresh token that the response contains anyway, and with the key that the request
    /// proved. The caller must store it, because the old refresh token may no longer be valid.
    pub rotated: Option<Box<Grant>>,
}

impl From<Error> for RefreshError {
    fn from(error: Error) -> Self {
        RefreshError { error, rotated: None }
    }
}

/// Refreshes the grant at the token endpoint that it is bound to.
///
/// The old refresh token may become invalid. The future must therefore not be dropped, and the new grant must be stored
/// before it is used. If no new refresh token is returned, the new grant contains the old one. Like [`exchange`], it
/// tries other forms of the request; a refresh can also repeat the scopes. It proves the key of the grant.
pub async fn refresh(
    http: &HttpClient,
    grant: &Grant,
    client_secret: Option<&SecretString>,
    now: Timestamp,
) -> Result<Grant, RefreshError> {
    let binding = grant.binding.clone();
    let mut endpoint = TokenEndpoint { http: http.clone(), step: Step::Refresh, now, binding };
    if grant.refresh_token.is_none() {
        return Err(endpoint.failed(ErrorKind::NoRefreshToken).into());
    }
    endpoint.request(TokenRequest::Refresh { grant, client_secret }).await
}

/// A request to a token endpoint. `binding` names the endpoint and the OAuth client; `now` is the time of the request.
pub(crate) struct TokenEndpoint {
    pub(crate) http: HttpClient,
    pub(crate) step: Step,
    pub(crate) now: Timestamp,
    pub(crate) binding: GrantBinding,
}

impl TokenEndpoint {
    /// Sends the request in the form of the binding, and in other forms after rejections that they may avoid.
    /// `binding` then contains the form that was sent last.
    pub(crate) async fn request(&mut self, request: TokenRequest<'_>) -> Result<Grant, RefreshError> {
        let mut methods = self.other_methods(request).into_iter();
        let mut rejected_authentication = None;
        let mut audience = request.assertion_audience().unwrap_or(self.binding.issuer.as_str()).to_owned();
        let mut key = match request.replaced().and_then(|grant| grant.dpop.as_ref()) {
            Some(DpopBinding { key, .. }) => Some(key.clone()),
            None if self.binding.sends_proof => Some(self.new_key()?),
            None => None,
        };
        loop {
            let failed = match self.send(request, &audience, &mut key).await {
                Ok(grant) => return Ok(grant),
                Err(failed) => failed,
            };
            if !request.may_be_repeated() {
                return Err(failed);
            }
            let kind = &failed.error.kind;
            if matches!(kind, ErrorKind::ResourceRejected { .. }) && self.binding.may_omit_resource() {
                self.binding.sends_resource = false;
            } else if self.may_add_scope(request, kind) {
                self.binding.sends_scope = true;
            } else if self.may_expect_endpoint_as_audience(request, kind, &audience) {
                audience = self.binding.token_endpoint.as_str().to_owned();
            } else if may_be_rejected_authentication(kind) {
                // The first method is the one that was agreed on, so its error is reported if all are rejected.
                let first = rejected_authentication.get_or_insert(failed);
                match methods.next() {
                    Some(method) => self.binding.auth_method = method,
                    None => return Err(first.clone()),
                }
            } else {
                return Err(failed);
            }
        }
    }

    /// Whether the authorization server may have rejected the assertion because of its audience. Some servers expect their
    /// token endpoint instead of their issuer.
    fn may_expect_endpoint_as_audience(
        &self,
        request: TokenRequest<'_>,
        kind: &ErrorKind,
        audience: &str,
    ) -> bool {
        self.binding.auth_method == AuthMethod::PrivateKeyJwt
            && matches!(kind, ErrorKind::InvalidClient { .. })
            && request.assertion_audience().is_none()
            && audience == self.binding.issuer.as_str()
            && audience != self.binding.token_endpoint.as_str()
    }

    /// Returns the other client authentication methods that the client's secret allows.
    fn other_methods(&self, request: TokenRequest<'_>) -> Vec<AuthMethod> {
        if request.client_secret().is_none() || request.signing_key().is_some() {
            return Vec::new();
        }
        let mut methods = vec![AuthMethod::ClientSecretPost, AuthMethod::ClientSecretBasic];
        methods.retain(|method| *method != self.binding.auth_method);
        methods
    }

    /// Whether the rejected refresh may succeed with the scopes. Microsoft Entra ID requires them.
    fn may_add_scope(&self, request: TokenRequest<'_>, kind: &ErrorKind) -> bool {
        let may_need_scope = matches!(kind, ErrorKind::TokenError { error, .. }
            if matches!(error.as_str(), "invalid_request" | "invalid_scope"));
        self.step == Step::Refresh
            && !self.binding.sends_scope
            && !request.scopes().is_empty()
            && may_need_scope
    }

    fn new_key(&self) -> Result<DpopKey, Error> {
        DpopKey::generate().map_err(|kind| self.failed(kind))
    }

    /// Sends the request. Repeats it once with the nonce of the response, once with the server's time, and once with a
    /// new key if the authorization server requires a proof, which neither its metadata nor the server stated.
    async fn send(
        &mut self,
        request: TokenRequest<'_>,
        audience: &str,
        key: &mut Option<DpopKey>,
    ) -> Result<Grant, RefreshError> {
        let mut retries = ProofRetries::default();
        loop {
            let (response, sent) = self.send_once(request, audience, key.clone()).await?;
            match (proof_refusal(&response), &response.proof) {
                (Some(_), None) => {
                    *key = Some(self.new_key()?);
                    self.binding.sends_proof = true;
                    continue;
                }
                (Some(refusal), Some(proof))
                    if retries.permit(self.http.dpop(), proof, refusal, &response.headers) =>
                {
                    continue;
                }
                (Some(_) | None, Some(_) | None) => {}
            }
            let tokens = token_response::parse(&response, &sent, self.now);
            return self.grant(tokens.map_err(|kind| self.failed(kind))?, request, key.clone());
        }
    }

    /// Sends the request with a new client assertion and a new proof. Returns the secrets that the response could
    /// repeat.
    async fn send_once(
        &self,
        request: TokenRequest<'_>,
        audience: &str,
        key: Option<DpopKey>,
    ) -> Result<(Response, Sent), RefreshError> {
        let TokenEndpoint { http, step, now, binding } = self;
        let (mut headers, mut form) = (form_headers(), Form::default());
        request.write(&mut form);
        if binding.sends_resource {
            form.append_pair("resource", &binding.resource);
        }
        if request.sends_scope(binding) {
            form.append_pair("scope", &request.scopes().to_string());
        }
        let (client_id, method) = (binding.client_id.as_str(), binding.auth_method);
        let assertion_key = request.signing_key().map(|key| AssertionKey { key, audience, now: *now });
        let secret = request.client_secret();
        let assertion = ClientAuthentication { client_id, method, secret, key: assertion_key }
            .apply(&mut headers, &mut form)
            .map_err(|kind| self.failed(kind))?;
        let url = binding.token_endpoint.url().clone();
        let prover = key.map(|key| Prover { key, now: *now });
        let outgoing = Request { method: Method::POST, url, headers, body: form.into_bytes(), prover };
        let response = http.send(*step, outgoing, http.deadlines().token).await?;
        let proof = response.proof.as_ref().and_then(|proof| proof.value().to_str().ok());
        let sent = request.sent().with(assertion).with(proof.map(Into::into));
        Ok((response, sent))
    }

    fn grant(
        &self,
        tokens: TokenResponse,
        request: TokenRequest<'_>,
        key: Option<DpopKey>,
    ) -> Result<Grant, RefreshError> {
        let TokenResponse { access_token, refresh_token, expires_in, scopes, account, token_type } = tokens;
        let endpoint = self.binding.token_endpoint.url();
        let unsupported = |name: String| self.failed(ErrorKind::UnsupportedTokenType(name));
        let binds_access_token = match (token_type, &key) {
            (TokenType::Bearer, Some(_) | None) => Ok(false),
            (TokenType::Dpop, Some(_)) => Ok(true),
            (TokenType::Dpop, None) => Err(unsupported("DPoP".to_owned())),
            (TokenType::Unknown(name), Some(_) | None) if known_servers::is_bearer(endpoint, &name) => {
                Ok(false)
            }
            (TokenType::Unknown(name), Some(_) | None) => Err(unsupported(name)),
        };
        let binds_access_token = match binds_access_token {
            Ok(binds) => binds,
            Err(error) => {
                let rotated = refresh_token.zip(request.replaced());
                let rotated = rotated.map(|(token, old)| Box::new(self.rotated(old, token, key)));
                return Err(RefreshError { error, rotated });
            }
        };
        let refresh_token = refresh_token.filter(|_| request.may_have_refresh_token());
        let old = request.replaced();
        let refresh_token = refresh_token.or_else(|| old.and_then(|grant| grant.refresh_token.clone()));
        // The refresh token can be bound to the key although the access token is not.
        let key = key.filter(|_| binds_access_token || refresh_token.is_some());
        let lifetime =
            expires_in.and_then(|seconds| i64::try_from(seconds).ok()).map(SignedDuration::from_secs);
        Ok(Grant {
            access_token,
            refresh_token,
            expires_at: lifetime.and_then(|lifetime| self.now.checked_add(lifetime).ok()),
            scopes: scopes.unwrap_or_else(|| request.scopes().clone()),
            account: account.or_else(|| old.and_then(|grant| grant.account.clone())),
            binding: self.binding.clone(),
            dpop: key.map(|key| DpopBinding { key, binds_access_token }),
        })
    }

    /// Returns the old grant with a new refresh token, which is bound to the key.
    fn rotated(&self, old: &Grant, refresh_token: RefreshToken, key: Option<DpopKey>) -> Grant {
        let binds_access_token = old.access_key().is_some();
        Grant {
            refresh_token: Some(refresh_token),
            binding: self.binding.clone(),
            dpop: key.map(|key| DpopBinding { key, binds_access_token }),
            ..old.clone()
        }
    }

    pub(crate) fn failed(&self, kind: ErrorKind) -> Error {
        Error::new(self.step, Some(self.binding.token_endpoint.host()), kind)
    }
}

/// Whether the authorization server may have rejected the client authentication method. The code or the refresh token
/// is then still valid, because the client is authenticated first (RFC 6749 §4.1.3 and §6).
fn may_be_rejected_authentication(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::InvalidClient { .. } | ErrorKind::Status(400 | 401 | 403) => true,
        ErrorKind::TokenError { error, .. } => {
            matches!(error.as_str(), "invalid_client" | "unauthorized_client" | "invalid_request")
        }
        _ => false,
    }
}
