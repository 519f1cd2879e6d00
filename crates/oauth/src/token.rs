//! Code for tokens, refresh token for new tokens: the two requests to the token endpoint.

use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest,
    HttpResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::http_client::Outgoing;
use crate::token_reply::normalise;
use crate::{
    AccessToken, AuthMethod, AuthorizationCode, Binding, Error, ErrorKind, Grant, HttpClient, RefreshToken,
    Scopes, Step,
};

/// What [`normalise`] adds to RFC 6749's fields.
#[derive(Debug, Deserialize, Serialize)]
struct Extra {
    account: Option<String>,
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

/// Exchanges the code. Run it to its end: the code is gone afterwards.
///
/// Where the authorization server names `resource` as what it refuses, the request is made once more without it, and
/// the grant's binding says so.
pub async fn exchange(http: &HttpClient, code: AuthorizationCode, now: Timestamp) -> Result<Grant, Error> {
    let endpoint = TokenEndpoint { http, step: Step::TokenExchange, now };
    let binding = code.discovered.binding(&code.client);
    match endpoint.exchange(&code, &binding).await {
        Err(error) if binding.sends_resource && is_resource_refused(&error) => {
            endpoint.exchange(&code, &without_resource(&binding)).await
        }
        result => result,
    }
}

/// Renews the grant at the token endpoint that it is bound to. Run it to its end and store what comes back before
/// using it: the old refresh token may be gone. A new refresh token replaces the old one; where none comes, the old
/// one stays.
pub async fn refresh(
    http: &HttpClient,
    grant: &Grant,
    client_secret: Option<&SecretString>,
    now: Timestamp,
) -> Result<Grant, Error> {
    let endpoint = TokenEndpoint { http, step: Step::Refresh, now };
    match endpoint.refresh(grant, &grant.binding, client_secret).await {
        Err(error) if grant.binding.sends_resource && is_resource_refused(&error) => {
            endpoint.refresh(grant, &without_resource(&grant.binding), client_secret).await
        }
        result => result,
    }
}

fn is_resource_refused(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::ResourceRefused { .. })
}

fn without_resource(binding: &Binding) -> Binding {
    Binding { sends_resource: false, ..binding.clone() }
}

/// One request to a token endpoint; `now` is when it is sent.
struct TokenEndpoint<'a> {
    http: &'a HttpClient,
    step: Step,
    now: Timestamp,
}

impl TokenEndpoint<'_> {
    async fn exchange(&self, code: &AuthorizationCode, binding: &Binding) -> Result<Grant, Error> {
        let redirect = RedirectUrl::new(code.client.registration.redirect_uri.as_str().to_owned());
        let bad_redirect = |_| ErrorKind::BadRedirectUri { why: "it is not an absolute address".to_owned() };
        let redirect = redirect.map_err(bad_redirect).map_err(|kind| self.failed(binding, kind))?;
        let oauth = self.client(binding, code.client.secret.as_ref())?.set_redirect_uri(redirect);
        let mut request = oauth
            .exchange_code(oauth2::AuthorizationCode::new(code.code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(code.verifier.expose_secret().to_owned()));
        if binding.sends_resource {
            request = request.add_extra_param("resource", binding.resource.clone());
        }
        let tokens = request.request_async(&|request| self.ask(binding, request)).await;
        let tokens = tokens.map_err(|error| self.error_of(binding, error))?;
        Ok(self.grant(&tokens, binding, None, &code.scopes))
    }

    async fn refresh(
        &self,
        grant: &Grant,
        binding: &Binding,
        client_secret: Option<&SecretString>,
    ) -> Result<Grant, Error> {
        let Some(refresh_token) = &grant.refresh_token else {
            return Err(self.failed(binding, ErrorKind::NoRefreshToken));
        };
        let oauth = self.client(binding, client_secret)?;
        let refresh_token = oauth2::RefreshToken::new(refresh_token.expose().to_owned());
        let mut request = oauth.exchange_refresh_token(&refresh_token);
        if binding.sends_resource {
            request = request.add_extra_param("resource", binding.resource.clone());
        }
        let tokens = request.request_async(&|request| self.ask(binding, request)).await;
        let tokens = tokens.map_err(|error| self.error_of(binding, error))?;
        Ok(self.grant(&tokens, binding, Some(grant), &grant.scopes))
    }

    fn client(&self, binding: &Binding, secret: Option<&SecretString>) -> Result<TokenClient, Error> {
        let auth_type = match binding.auth_method {
            AuthMethod::ClientSecretBasic => AuthType::BasicAuth,
            AuthMethod::ClientSecretPost | AuthMethod::None => AuthType::RequestBody,
        };
        let client = oauth2::Client::new(ClientId::new(binding.client_id.clone()))
            .set_auth_type(auth_type)
            .set_token_uri(TokenUrl::from_url(binding.token_endpoint.url().clone()));
        match secret {
            _ if !binding.auth_method.needs_secret() => Ok(client),
            Some(secret) => {
                Ok(client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())))
            }
            None => Err(self.failed(binding, ErrorKind::ClientSecretMissing)),
        }
    }

    /// The HTTP client that the `oauth2` crate calls: ours, which hands it any good answer in the form it knows.
    async fn ask(&self, binding: &Binding, request: HttpRequest) -> Result<HttpResponse, Error> {
        let (parts, body) = request.into_parts();
        let url = binding.token_endpoint.url().clone();
        let outgoing = Outgoing { method: parts.method, url, headers: parts.headers, body };
        let reply = self.http.send(self.step, outgoing, self.http.deadlines().token).await?;
        let tokens = normalise(&reply, self.now).map_err(|kind| self.failed(binding, kind))?;
        let mut response = HttpResponse::new(tokens.to_string().into_bytes());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }

    fn grant(&self, tokens: &Tokens, binding: &Binding, before: Option<&Grant>, asked: &Scopes) -> Grant {
        let refresh_token = tokens.refresh_token().map(|token| RefreshToken::new(token.secret().as_str()));
        let life = tokens.expires_in().and_then(|life| SignedDuration::try_from(life).ok());
        let granted = tokens.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
        Grant {
            access_token: AccessToken::new(tokens.access_token().secret().as_str()),
            refresh_token: refresh_token.or_else(|| before.and_then(|grant| grant.refresh_token.clone())),
            expires_at: life.and_then(|life| self.now.checked_add(life).ok()),
            scopes: granted.unwrap_or_else(|| asked.clone()),
            account: tokens
                .extra_fields()
                .account
                .clone()
                .or_else(|| before.and_then(|grant| grant.account.clone())),
            binding: binding.clone(),
        }
    }

    fn error_of(&self, binding: &Binding, error: RequestTokenError<Error, BasicErrorResponse>) -> Error {
        match error {
            RequestTokenError::Request(error) => error,
            // Only a normalised answer gets as far as the crate's own parser, so these say that ours has a fault. Their
            // text could quote the answer; ours does not.
            RequestTokenError::ServerResponse(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => {
                self.failed(binding, ErrorKind::Malformed { what: "it cannot be read".to_owned() })
            }
        }
    }

    fn failed(&self, binding: &Binding, kind: ErrorKind) -> Error {
        Error::new(self.step, Some(binding.token_endpoint.host()), kind)
    }
}
