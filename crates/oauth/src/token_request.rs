//! The content of a token request.

use secrecy::{ExposeSecret, SecretString};

use crate::client_authentication::Form;
use crate::echo::Sent;
use crate::{AuthorizationCode, DeviceAuthorization, Grant, RefreshToken, Scopes};

/// The content of a request to the token endpoint.
#[derive(Clone, Copy)]
pub(crate) enum TokenRequest<'a> {
    Exchange(&'a AuthorizationCode),
    Refresh { grant: &'a Grant, client_secret: Option<&'a SecretString> },
    Device(&'a DeviceAuthorization),
}

impl<'a> TokenRequest<'a> {
    /// Adds the grant type with its parameters. A refresh must have a refresh token.
    pub(crate) fn write(self, form: &mut Form) {
        match self {
            TokenRequest::Exchange(code) => {
                form.append_pair("grant_type", "authorization_code")
                    .append_pair("code", code.code.expose_secret())
                    .append_pair("redirect_uri", code.redirect.as_str())
                    .append_pair("code_verifier", code.verifier.expose_secret());
            }
            TokenRequest::Refresh { grant, .. } => {
                let token = grant.refresh_token.as_ref().map(RefreshToken::expose).unwrap_or_default();
                form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token);
            }
            TokenRequest::Device(device) => {
                form.append_pair("grant_type", crate::device_authorization::GRANT_TYPE)
                    .append_pair("device_code", device.device_code.expose_secret());
            }
        }
    }

    pub(crate) fn client_secret(self) -> Option<&'a SecretString> {
        match self {
            TokenRequest::Exchange(code) => code.client.secret.as_ref(),
            TokenRequest::Refresh { client_secret, .. } => client_secret,
            TokenRequest::Device(device) => device.client.secret.as_ref(),
        }
    }

    /// The requested scopes, which are the granted ones if the response states none.
    pub(crate) fn scopes(self) -> &'a Scopes {
        match self {
            TokenRequest::Exchange(code) => &code.scopes,
            TokenRequest::Refresh { grant, .. } => &grant.scopes,
            TokenRequest::Device(device) => &device.scopes,
        }
    }

    /// The grant that the response replaces.
    pub(crate) fn replaced(self) -> Option<&'a Grant> {
        match self {
            TokenRequest::Refresh { grant, .. } => Some(grant),
            TokenRequest::Exchange(_) | TokenRequest::Device(_) => None,
        }
    }

    /// The secrets that a response could repeat.
    pub(crate) fn sent(self) -> Sent {
        let secret = self.client_secret().map(ExposeSecret::expose_secret);
        let (client_id, others) = match self {
            TokenRequest::Exchange(code) => (
                &code.client.registration.client_id,
                [Some(code.code.expose_secret()), Some(code.verifier.expose_secret())],
            ),
            TokenRequest::Refresh { grant, .. } => (
                &grant.binding.client_id,
                [grant.refresh_token.as_ref().map(RefreshToken::expose), Some(grant.access_token.expose())],
            ),
            TokenRequest::Device(device) => {
                (&device.client.registration.client_id, [Some(device.device_code.expose_secret()), None])
            }
        };
        let sent = Sent::new(others.into_iter().chain([secret]).flatten());
        match secret {
            Some(secret) => sent.with_basic(client_id, secret),
            None => sent,
        }
    }
}
