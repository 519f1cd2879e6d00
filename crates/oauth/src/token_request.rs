//! The content of a token request.

use secrecy::{ExposeSecret, SecretString};

use crate::echo::Sent;
use crate::{AuthorizationCode, Grant, RefreshToken, Scopes};

/// The content of a request to the token endpoint.
#[derive(Clone, Copy)]
pub(crate) enum TokenRequest<'a> {
    Exchange(&'a AuthorizationCode),
    Refresh { grant: &'a Grant, client_secret: Option<&'a SecretString> },
}

impl<'a> TokenRequest<'a> {
    pub(crate) fn client_secret(self) -> Option<&'a SecretString> {
        match self {
            TokenRequest::Exchange(code) => code.client.secret.as_ref(),
            TokenRequest::Refresh { client_secret, .. } => client_secret,
        }
    }

    pub(crate) fn scopes(self) -> &'a Scopes {
        match self {
            TokenRequest::Exchange(code) => &code.scopes,
            TokenRequest::Refresh { grant, .. } => &grant.scopes,
        }
    }

    /// The secrets that a response could repeat.
    pub(crate) fn sent(self) -> Sent {
        let secret = self.client_secret().map(ExposeSecret::expose_secret);
        let client_id = match self {
            TokenRequest::Exchange(code) => &code.client.registration.client_id,
            TokenRequest::Refresh { grant, .. } => &grant.binding.client_id,
        };
        let others = match self {
            TokenRequest::Exchange(code) => {
                [Some(code.code.expose_secret()), Some(code.verifier.expose_secret())]
            }
            TokenRequest::Refresh { grant, .. } => {
                [grant.refresh_token.as_ref().map(RefreshToken::expose), Some(grant.access_token.expose())]
            }
        };
        let sent = Sent::new(others.into_iter().chain([secret]).flatten());
        match secret {
            Some(secret) => sent.with_basic(client_id, secret),
            None => sent,
        }
    }
}
