//! Why a server's credentials cannot give a token.

use std::sync::Arc;

/// Why there is no token to send. Only [`CredentialFault::Over`] and [`CredentialFault::RenewalLost`] mean that the
/// sign-in is gone.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CredentialFault {
    /// Says nothing about whether there is a sign-in.
    #[error(transparent)]
    SecretStore(Arc<usher_secrets::Error>),
    #[error("the authorization server ended the sign-in")]
    Over,
    /// The answer to a renewal was lost, and the authorization server does not take the old refresh token again.
    #[error("a renewal was cut off, and the authorization server does not take the old sign-in")]
    RenewalLost,
    #[error("the access token has expired, and there is no refresh token")]
    Expired,
    #[error("the authorization server no longer knows this app")]
    RegistrationLost(usher_oauth::Error),
    #[error(transparent)]
    Refresh(usher_oauth::Error),
    #[error("the renewal ended without an answer")]
    Interrupted,
}

impl CredentialFault {
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refresh(_) | Self::Interrupted => true,
            Self::SecretStore(_)
            | Self::Over
            | Self::RenewalLost
            | Self::Expired
            | Self::RegistrationLost(_) => false,
        }
    }

    /// True when nothing but a new sign-in helps.
    pub fn needs_sign_in(&self) -> bool {
        match self {
            Self::Over | Self::RenewalLost | Self::Expired | Self::RegistrationLost(_) => true,
            Self::SecretStore(_) | Self::Refresh(_) | Self::Interrupted => false,
        }
    }
}

impl From<usher_secrets::Error> for CredentialFault {
    fn from(error: usher_secrets::Error) -> Self {
        Self::SecretStore(Arc::new(error))
    }
}
