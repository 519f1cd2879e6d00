//! The token endpoint: code exchange and refresh.

use futures::future::BoxFuture;
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::echo::Sent;
use crate::http_client::Request;
use crate::known_servers;
use crate::token_request::TokenRequest;
use crate::token_response::normalise;
use crate::{
    AccessToken, AuthMethod, AuthorizationCode, Error, ErrorKind, Grant, GrantBinding, HttpClient,
    RefreshToken, Scopes, Step,
};

/// The fields that [`normalise`] adds to those of RFC 6749.
#[derive(Debug, Deserialize, Serialize)]
struct Extra {
    account: Option<String>,
    /// An unsupported `token_type`.
    unknown_type: Option<String>,
}

impl ExtraTokenFields for Extra {}

type Tokens = StandardTokenResponse<Extra, BasicTokenType>;

type TokenClient = oauth2::Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Exchanges the code. The future must not be dropped, because a code can be used only once.
///
/// If the authorization server rejects the form of the request, other forms are tried: without `resource`, or with
/// another client authentication method. The grant's binding records the form that succeeded.
pub async fn exchange(http: &HttpClient, code: AuthorizationCode, now: Timestamp) -> Result<Grant, Error> {
    let endpoint =
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
    /// A new refresh token that the response contains anyway. The caller must store it, because it replaces the old
    /// one.
    pub rotated: Option<RefreshToken>,
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
/// tries other forms of the request; a refresh can also repeat the scopes.
pub async fn refresh(
    http: &HttpClient,
    grant: &Grant,
    client_secret: Option<&SecretString>,
    now: Timestamp,
) -> Result<Grant, RefreshError> {
    let binding = grant.binding.clone();
    let endpoint = TokenEndpoint { http: http.clone(), step: Step::Refresh, now, binding };
    endpoint.request(TokenRequest::Refresh { grant, client_secret }).await
}

/// A request to a token endpoint. `binding` names the endpoint and the OAuth client; `now` is the time of the request.
struct TokenEndpoint {
    http: HttpClient,
    step: Step,
    now: Timestamp,
    binding: GrantBinding,
}

impl TokenEndpoint {
    /// Sends the request in the form of the binding, and in other forms after rejections that they may avoid.
    async fn request(mut self, request: TokenRequest<'_>) -> Result<Grant, RefreshError> {
        let mut methods = self.other_methods(request).into_iter();
        let mut rejected_authentication = None;
        loop {
            let failed = match self.send(request).await {
                Ok(grant) => return Ok(grant),
                Err(failed) => failed,
            };
            let kind = &failed.error.kind;
            if matches!(kind, ErrorKind::ResourceRejected { .. }) && self.binding.may_omit_resource() {
                self.binding.sends_resource = false;
            } else if self.may_add_scope(request, kind) {
                self.binding.sends_scope = true;
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

    /// Returns the other client authentication methods that the client's secret allows.
    fn other_methods(&self, request: TokenRequest<'_>) -> Vec<AuthMethod> {
        if request.client_secret().is_none() {
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

    async fn send(&self, request: TokenRequest<'_>) -> Result<Grant, RefreshError> {
        let oauth = self.client(request.client_secret())?;
        let transport = Transport { endpoint: self, sent: request.sent() };
        let mut parameters = Vec::new();
        if self.binding.sends_resource {
            parameters.push(("resource", self.binding.resource.as_str()));
        }
        if self.binding.auth_method == AuthMethod::ClientSecretBasic {
            // Some servers read the client ID only here.
            parameters.push(("client_id", self.binding.client_id.as_str()));
        }
        match request {
            TokenRequest::Exchange(code) => {
                let redirect = RedirectUrl::new(code.client.registration.redirect_uri.as_str().to_owned());
                let bad_redirect =
                    |_| ErrorKind::BadRedirectUri { why: "it is not an absolute URL".to_owned() };
                let redirect = redirect.map_err(bad_redirect).map_err(|kind| self.failed(kind))?;
                let oauth = oauth.set_redirect_uri(redirect);
                let mut exchange = oauth
                    .exchange_code(oauth2::AuthorizationCode::new(code.code.expose_secret().to_owned()))
                    .set_pkce_verifier(PkceCodeVerifier::new(code.verifier.expose_secret().to_owned()));
                for (name, value) in parameters {
                    exchange = exchange.add_extra_param(name, value);
                }
                let tokens = exchange.request_async(&transport).await;
                self.grant(&tokens.map_err(|error| self.map_error(error))?, None, &code.scopes)
            }
            TokenRequest::Refresh { grant, .. } => {
                let Some(refresh_token) = &grant.refresh_token else {
                    return Err(self.failed(ErrorKind::NoRefreshToken).into());
                };
                let refresh_token = oauth2::RefreshToken::new(refresh_token.expose().to_owned());
                let mut refresh = oauth.exchange_refresh_token(&refresh_token);
                for (name, value) in parameters {
                    refresh = refresh.add_extra_param(name, value);
                }
                if self.binding.sends_scope {
                    refresh =
                        refresh.add_scopes(grant.scopes.iter().map(|scope| Scope::new(scope.to_owned())));
                }
                let tokens = refresh.request_async(&transport).await;
                self.grant(&tokens.map_err(|error| self.map_error(error))?, Some(grant), &grant.scopes)
            }
        }
    }

    fn client(&self, secret: Option<&SecretString>) -> Result<TokenClient, Error> {
        let auth_method = self.binding.auth_method;
        let auth_type = match auth_method {
            AuthMethod::ClientSecretBasic => AuthType::BasicAuth,
            AuthMethod::ClientSecretPost | AuthMethod::None => AuthType::RequestBody,
        };
        let client = oauth2::Client::new(ClientId::new(self.binding.client_id.clone()))
            .set_auth_type(auth_type)
            .set_token_uri(TokenUrl::from_url(self.binding.token_endpoint.url().clone()));
        match secret {
            _ if !auth_method.needs_secret() => Ok(client),
            Some(secret) => {
                Ok(client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())))
            }
            None => Err(self.failed(ErrorKind::ClientSecretMissing)),
        }
    }

    fn grant(&self, tokens: &Tokens, old: Option<&Grant>, requested: &Scopes) -> Result<Grant, RefreshError> {
        let refresh_token = tokens.refresh_token().map(|token| RefreshToken::new(token.secret().as_str()));
        let is_unknown =
            |token_type: &&String| !known_servers::is_bearer(self.binding.token_endpoint.url(), token_type);
        if let Some(unknown) = tokens.extra_fields().unknown_type.as_ref().filter(is_unknown) {
            let error = self.failed(ErrorKind::UnsupportedTokenType(unknown.clone()));
            return Err(RefreshError { error, rotated: refresh_token });
        }
        let lifetime = tokens.expires_in().and_then(|lifetime| SignedDuration::try_from(lifetime).ok());
        let granted = tokens.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
        Ok(Grant {
            access_token: AccessToken::new(tokens.access_token().secret().as_str()),
            refresh_token: refresh_token.or_else(|| old.and_then(|grant| grant.refresh_token.clone())),
            expires_at: lifetime.and_then(|lifetime| self.now.checked_add(lifetime).ok()),
            scopes: granted.unwrap_or_else(|| requested.clone()),
            account: tokens
                .extra_fields()
                .account
                .clone()
                .or_else(|| old.and_then(|grant| grant.account.clone())),
            binding: self.binding.clone(),
        })
    }

    fn map_error(&self, error: RequestTokenError<Error, BasicErrorResponse>) -> Error {
        match error {
            RequestTokenError::Request(error) => error,
            // The crate parses only normalised responses, so these errors are bugs in `normalise`. Their texts are not
            // shown, because they could quote the response.
            RequestTokenError::ServerResponse(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => {
                self.failed(ErrorKind::Malformed { what: "it cannot be read".to_owned() })
            }
        }
    }

    fn failed(&self, kind: ErrorKind) -> Error {
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

/// The HTTP client that the `oauth2` crate uses. It converts successful responses to the form that the crate expects.
struct Transport<'a> {
    endpoint: &'a TokenEndpoint,
    sent: Sent,
}

impl<'c> AsyncHttpClient<'c> for Transport<'_> {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse, Error>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Transport<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let TokenEndpoint { http, step, now, binding } = self.endpoint;
        let (parts, body) = request.into_parts();
        let url = binding.token_endpoint.url().clone();
        let request = Request { method: parts.method, url, headers: parts.headers, body };
        let response = http.send(*step, request, http.deadlines().token).await?;
        let tokens = normalise(&response, &self.sent, *now).map_err(|kind| self.endpoint.failed(kind))?;
        let mut response = HttpResponse::new(tokens.to_string().into_bytes());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }
}
