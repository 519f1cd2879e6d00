//! Issues access, refresh and ID tokens.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client_authentication::AuthenticatedClient;
use super::person::PERSON;
use super::scopes::{Scope, Scopes};
use super::signing::{random_id, sha256_base64url};
use crate::clock::saturating_add;
use crate::service::Service;

/// The lifetime of a refresh token.
const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// The kind of a token, which is its `typ` header.
#[derive(Clone, Copy)]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

impl TokenKind {
    fn typ(self) -> &'static str {
        match self {
            Self::Access => "usher-demo-access",
            Self::Refresh => "usher-demo-refresh",
        }
    }

    fn current_epoch(self, service: &Service) -> u64 {
        match self {
            Self::Access => service.epochs.access.current(),
            Self::Refresh => service.epochs.refresh.current(),
        }
    }
}

/// The claims of an access or refresh token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Token {
    issuer: String,
    audience: String,
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) family: String,
    /// The number of a refresh token in its family. Only the highest is valid.
    pub(crate) rotation: u32,
    epoch: u64,
    expires_at: Timestamp,
    /// The thumbprint of the key that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// A random value, so that two tokens with equal claims differ.
    id: String,
}

impl Token {
    /// Returns the claims if this demo issued the token as this kind, even if the token is no longer valid.
    pub(crate) fn open(service: &Service, kind: TokenKind, text: &str) -> Option<Self> {
        service.signer.open(kind.typ(), text)
    }

    /// Returns the claims of a valid token, or an error description.
    pub(crate) fn check(
        service: &Service,
        kind: TokenKind,
        text: &str,
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let token = Self::open(service, kind, text).ok_or("unknown token")?;
        if token.issuer != service.issuer || token.audience != service.resource {
            return Err("the token is for another resource");
        }
        if token.epoch < kind.current_epoch(service) || service.families.is_revoked(&token.family) {
            return Err("the token has been revoked");
        }
        if token.expires_at <= now {
            return Err("the token has expired");
        }
        Ok(token)
    }
}

/// The tokens to issue.
pub(crate) struct Grant<'a> {
    pub(crate) client: &'a AuthenticatedClient,
    pub(crate) family: &'a str,
    /// The scopes that the person allowed, for the refresh token.
    pub(crate) granted: &'a Scopes,
    /// The scopes of the access token: all granted ones, or the subset that a refresh requested.
    pub(crate) scopes: &'a Scopes,
    pub(crate) rotation: u32,
    pub(crate) nonce: Option<&'a str>,
}

impl Grant<'_> {
    /// Issues the tokens and returns the token response (RFC 6749 §5.1).
    pub(crate) fn issue(&self, service: &Service, now: Timestamp) -> Value {
        let options = &service.options;
        let mut response = json!({
            "access_token": self.token(service, TokenKind::Access, self.scopes, saturating_add(now, options.access_token_lifetime)),
            "token_type": if self.client.key.is_some() { "DPoP" } else { "Bearer" },
            "expires_in": options.access_token_lifetime.as_secs(),
            "scope": self.scopes.to_string(),
        });
        if self.client.client.may_refresh && self.granted.contains(Scope::OfflineAccess) {
            let expires_at = saturating_add(now, REFRESH_TOKEN_LIFETIME);
            response["refresh_token"] =
                self.token(service, TokenKind::Refresh, self.granted, expires_at).into();
        }
        if self.scopes.contains(Scope::OpenId) {
            response["id_token"] = self.id_token(service, now).into();
        }
        response
    }

    fn token(&self, service: &Service, kind: TokenKind, scopes: &Scopes, expires_at: Timestamp) -> String {
        let token = Token {
            issuer: service.issuer.clone(),
            audience: service.resource.clone(),
            client: client_hash(&self.client.id),
            scope: scopes.to_string(),
            family: self.family.to_owned(),
            rotation: self.rotation,
            epoch: kind.current_epoch(service),
            expires_at,
            key: self.client.key.clone(),
            id: random_id(),
        };
        service.signer.sign(kind.typ(), &token)
    }

    /// Issues an ID token (OpenID Connect Core §2). It is for display only, because clients cannot verify its
    /// signature.
    fn id_token(&self, service: &Service, now: Timestamp) -> String {
        let mut claims = json!({
            "iss": service.issuer,
            "sub": PERSON.subject,
            "aud": self.client.id,
            "exp": saturating_add(now, service.options.access_token_lifetime).as_second(),
            "iat": now.as_second(),
            "name": PERSON.name,
            "preferred_username": PERSON.username,
            "email": PERSON.email,
            "email_verified": true,
        });
        if let Some(nonce) = self.nonce {
            claims["nonce"] = nonce.into();
        }
        service.signer.sign("JWT", &claims)
    }
}

/// Returns a short identifier of a client, because a client id contains the whole registration.
pub(crate) fn client_hash(client_id: &str) -> String {
    sha256_base64url(client_id)
}
