//! The content of a token request.

use secrecy::{ExposeSecret, SecretString};

use crate::client_authentication::Form;
use crate::echo::Sent;
use crate::grant_type;
use crate::{
    AuthorizationCode, ClientSettings, DeviceAuthorization, Grant, GrantBinding, RefreshToken, Scopes,
    SigningKey,
};

/// The content of a request to the token endpoint.
#[derive(Clone, Copy)]
pub(crate) enum TokenRequest<'a> {
    Exchange(&'a AuthorizationCode),
    Refresh {
        grant: &'a Grant,
        client_secret: Option<&'a SecretString>,
    },
    Device(&'a DeviceAuthorization),
    Unattended {
        settings: &'a ClientSettings,
        scopes: &'a Scopes,
        /// The assertion of a platform or an identity provider. Without it, the client has its own credentials.
        assertion: Option<&'a SecretString>,
    },
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
                form.append_pair("grant_type", grant_type::DEVICE_CODE)
                    .append_pair("device_code", device.device_code.expose_secret());
            }
            TokenRequest::Unattended { assertion: Some(assertion), .. } => {
                form.append_pair("grant_type", grant_type::JWT_BEARER)
                    .append_pair("assertion", assertion.expose_secret());
            }
            TokenRequest::Unattended { settings, assertion: None, .. } => {
                form.append_pair("grant_type", "client_credentials");
                // Some authorization servers do not know `resource`.
                if let Some(audience) = &settings.audience {
                    form.append_pair("audience", audience);
                }
            }
        }
    }

    pub(crate) fn client_secret(self) -> Option<&'a SecretString> {
        match self {
            TokenRequest::Exchange(code) => code.client.secret.as_ref(),
            TokenRequest::Refresh { client_secret, .. } => client_secret,
            TokenRequest::Device(device) => device.client.secret.as_ref(),
            TokenRequest::Unattended { settings, .. } => settings.client_secret.as_ref(),
        }
    }

    /// The key of a client that signs assertions.
    pub(crate) fn signing_key(self) -> Option<&'a SigningKey> {
        match self {
            TokenRequest::Unattended { settings, .. } => settings.signing_key.as_deref(),
            TokenRequest::Exchange(_) | TokenRequest::Refresh { .. } | TokenRequest::Device(_) => None,
        }
    }

    /// The configured `aud` of a client's assertions.
    pub(crate) fn assertion_audience(self) -> Option<&'a str> {
        match self {
            TokenRequest::Unattended { settings, .. } => settings.assertion_audience.as_deref(),
            TokenRequest::Exchange(_) | TokenRequest::Refresh { .. } | TokenRequest::Device(_) => None,
        }
    }

    /// Whether the request repeats the scopes. In the others, the authorization server knows them.
    pub(crate) fn sends_scope(self, binding: &GrantBinding) -> bool {
        match self {
            TokenRequest::Unattended { scopes, .. } => !scopes.is_empty(),
            TokenRequest::Refresh { .. } => binding.sends_scope,
            TokenRequest::Exchange(_) | TokenRequest::Device(_) => false,
        }
    }

    /// Whether another form of the request may be sent after a rejection. An assertion can be used once.
    pub(crate) fn may_be_repeated(self) -> bool {
        match self {
            TokenRequest::Unattended { assertion, .. } => assertion.is_none(),
            TokenRequest::Exchange(_) | TokenRequest::Refresh { .. } | TokenRequest::Device(_) => true,
        }
    }

    /// Whether the grant can be refreshed with a refresh token. Without a person, a new grant replaces it.
    pub(crate) fn may_have_refresh_token(self) -> bool {
        match self {
            TokenRequest::Unattended { .. } => false,
            TokenRequest::Exchange(_) | TokenRequest::Refresh { .. } | TokenRequest::Device(_) => true,
        }
    }

    /// The requested scopes, which are the granted ones if the response states none.
    pub(crate) fn scopes(self) -> &'a Scopes {
        match self {
            TokenRequest::Exchange(code) => &code.scopes,
            TokenRequest::Refresh { grant, .. } => &grant.scopes,
            TokenRequest::Device(device) => &device.scopes,
            TokenRequest::Unattended { scopes, .. } => scopes,
        }
    }

    /// The grant that the response replaces.
    pub(crate) fn replaced(self) -> Option<&'a Grant> {
        match self {
            TokenRequest::Refresh { grant, .. } => Some(grant),
            TokenRequest::Exchange(_) | TokenRequest::Device(_) | TokenRequest::Unattended { .. } => None,
        }
    }

    /// The secrets that a response could repeat.
    pub(crate) fn sent(self) -> Sent {
        let secret = self.client_secret().map(ExposeSecret::expose_secret);
        let (client_id, others) = match self {
            TokenRequest::Exchange(code) => (
                code.client.registration.client_id.as_str(),
                [Some(code.code.expose_secret()), Some(code.verifier.expose_secret())],
            ),
            TokenRequest::Refresh { grant, .. } => (
                grant.binding.client_id.as_str(),
                [grant.refresh_token.as_ref().map(RefreshToken::expose), Some(grant.access_token.expose())],
            ),
            TokenRequest::Device(device) => (
                device.client.registration.client_id.as_str(),
                [Some(device.device_code.expose_secret()), None],
            ),
            TokenRequest::Unattended { settings, assertion, .. } => (
                settings.client_id.as_deref().unwrap_or_default(),
                [assertion.map(ExposeSecret::expose_secret), None],
            ),
        };
        let sent = Sent::new(others.into_iter().chain([secret]).flatten());
        match secret {
            Some(secret) => sent.with_basic(client_id, secret),
            None => sent,
        }
    }
}
