//! The token endpoint: code exchange and refresh.

use futures::future::BoxFuture;
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::http_client::Request;
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
/// If the authorization server rejects the `resource` parameter, the request is retried once without it. The grant's
/// binding records this.
pub async fn exchange(http: &HttpClient, code: AuthorizationCode, now: Timestamp) -> Result<Grant, Error> {
    let binding = code.discovered.binding(&code.client);
    let endpoint = TokenEndpoint { http: http.clone(), step: Step::TokenExchange, now, binding };
    match endpoint.exchange(&code).await {
        Err(error) if endpoint.may_omit_resource(&error) => endpoint.without_resource().exchange(&code).await,
        result => result,
    }
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
/// before it is used. If no new refresh token is returned, the new grant contains the old one.
pub async fn refresh(
    http: &HttpClient,
    grant: &Grant,
    client_secret: Option<&SecretString>,
    now: Timestamp,
) -> Result<Grant, RefreshError> {
    let endpoint =
        TokenEndpoint { http: http.clone(), step: Step::Refresh, now, binding: grant.binding.clone() };
    match endpoint.refresh(grant, client_secret).await {
        Err(RefreshError { error, .. }) if endpoint.may_omit_resource(&error) => {
            endpoint.without_resource().refresh(grant, client_secret).await
        }
        result => result,
    }
}

/// A request to a token endpoint. `binding` names the endpoint and the OAuth client; `now` is the time of the request.
struct TokenEndpoint {
    http: HttpClient,
    step: Step,
    now: Timestamp,
    binding: GrantBinding,
}

/// The HTTP client that the `oauth2` crate uses. It converts successful responses to the form that the crate expects.
impl<'c> AsyncHttpClient<'c> for TokenEndpoint {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse, Error>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl TokenEndpoint {
    async fn exchange(&self, code: &AuthorizationCode) -> Result<Grant, Error> {
        let redirect = RedirectUrl::new(code.client.registration.redirect_uri.as_str().to_owned());
        let bad_redirect = |_| ErrorKind::BadRedirectUri { why: "it is not an absolute URL".to_owned() };
        let redirect = redirect.map_err(bad_redirect).map_err(|kind| self.failed(kind))?;
        let oauth = self.client(code.client.secret.as_ref())?.set_redirect_uri(redirect);
        let mut request = oauth
            .exchange_code(oauth2::AuthorizationCode::new(code.code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(code.verifier.expose_secret().to_owned()));
        if self.binding.sends_resource {
            request = request.add_extra_param("resource", self.binding.resource.as_str());
        }
        let tokens = request.request_async(self).await.map_err(|error| self.map_error(error))?;
        // If the token type is unsupported, the refresh token is dropped too, because there is no grant to store it in.
        self.grant(&tokens, None, &code.scopes).map_err(|failed| failed.error)
    }

    async fn refresh(
        &self,
        grant: &Grant,
        client_secret: Option<&SecretString>,
    ) -> Result<Grant, RefreshError> {
        let Some(refresh_token) = &grant.refresh_token else {
            return Err(self.failed(ErrorKind::NoRefreshToken).into());
        };
        let oauth = self.client(client_secret)?;
        let refresh_token = oauth2::RefreshToken::new(refresh_token.expose().to_owned());
        let mut request = oauth.exchange_refresh_token(&refresh_token);
        if self.binding.sends_resource {
            request = request.add_extra_param("resource", self.binding.resource.as_str());
        }
        let tokens = request.request_async(self).await.map_err(|error| self.map_error(error))?;
        self.grant(&tokens, Some(grant), &grant.scopes)
    }

    fn may_omit_resource(&self, error: &Error) -> bool {
        self.binding.sends_resource && matches!(error.kind, ErrorKind::ResourceRejected { .. })
    }

    fn without_resource(&self) -> Self {
        let binding = GrantBinding { sends_resource: false, ..self.binding.clone() };
        TokenEndpoint { http: self.http.clone(), step: self.step, now: self.now, binding }
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

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let (parts, body) = request.into_parts();
        let url = self.binding.token_endpoint.url().clone();
        let request = Request { method: parts.method, url, headers: parts.headers, body };
        let response = self.http.send(self.step, request, self.http.deadlines().token).await?;
        let tokens = normalise(&response, self.now).map_err(|kind| self.failed(kind))?;
        let mut response = HttpResponse::new(tokens.to_string().into_bytes());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }

    fn grant(&self, tokens: &Tokens, old: Option<&Grant>, requested: &Scopes) -> Result<Grant, RefreshError> {
        let refresh_token = tokens.refresh_token().map(|token| RefreshToken::new(token.secret().as_str()));
        if let Some(unknown) = &tokens.extra_fields().unknown_type {
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
