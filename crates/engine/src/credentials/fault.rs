//! The reasons why a server's credentials provide no token.

use std::sync::Arc;

use usher_api::NeedsSignIn;

/// A reason for having no token. Only [`CredentialFault::Ended`] and [`CredentialFault::RefreshInterrupted`] mean that
/// the grant is gone.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CredentialFault {
    /// The secret store failed, so the grant could not be read or saved.
    #[error(transparent)]
    SecretStore(Arc<usher_secrets::Error>),
    #[error("the authorization server ended the grant")]
    Ended,
    /// The response to a refresh was lost, and the authorization server rejects the old refresh token.
    #[error("a refresh was interrupted, and the authorization server rejects the old refresh token")]
    RefreshInterrupted,
    #[error("the access token has expired, and there is no refresh token")]
    Expired,
    #[error("the authorization server no longer knows this client")]
    RegistrationLost(usher_oauth::Error),
    /// The authorization server rejected the refresh with an error that does not clearly end the grant.
    #[error(transparent)]
    RefreshRejected(usher_oauth::Error),
    /// The refresh failed and may succeed later.
    #[error(transparent)]
    Refresh(usher_oauth::Error),
    /// The authorization server refuses a grant without a person. Only a change of the settings helps. It is not used for
    /// an assertion that the platform replaces.
    #[error(transparent)]
    Rejected(usher_oauth::Error),
    #[error("the refresh was cancelled before it finished")]
    RefreshCancelled,
}

impl CredentialFault {
    /// Returns whether a retry may succeed without the person.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refresh(_) | Self::RefreshCancelled => true,
            Self::SecretStore(_)
            | Self::Ended
            | Self::RefreshInterrupted
            | Self::Expired
            | Self::RegistrationLost(_)
            | Self::Rejected(_)
            | Self::RefreshRejected(_) => false,
        }
    }

    /// Returns the reason for a new sign-in, if only a sign-in helps.
    pub fn sign_in_reason(&self) -> Option<NeedsSignIn> {
        match self {
            Self::Ended | Self::Expired => Some(NeedsSignIn::Expired),
            Self::RefreshInterrupted => Some(NeedsSignIn::RefreshInterrupted),
            Self::RefreshRejected(_) => Some(NeedsSignIn::RefreshRejected),
            Self::RegistrationLost(_) => Some(NeedsSignIn::RegistrationLost),
            Self::SecretStore(_) | Self::Refresh(_) | Self::Rejected(_) | Self::RefreshCancelled => None,
        }
    }

    /// Returns whether the grant has ended, so that no refresh can succeed any more.
    pub fn is_end_of_grant(&self) -> bool {
        match self {
            Self::Rejected(_) => true,
            _ => self.sign_in_reason().is_some() && !matches!(self, Self::RefreshRejected(_)),
        }
    }

    pub fn is_locked(&self) -> bool {
        matches!(self, Self::SecretStore(error) if matches!(**error, usher_secrets::Error::Locked { .. }))
    }
}

impl From<usher_secrets::Error> for CredentialFault {
    fn from(error: usher_secrets::Error) -> Self {
        Self::SecretStore(Arc::new(error))
    }
}
