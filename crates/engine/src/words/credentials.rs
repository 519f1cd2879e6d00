//! Messages about errors of a server's credentials.

use usher_api::{Code, ErrorView};
use usher_oauth::{ErrorKind, KeyError};

use super::secret_store::describe_secret_error;
use super::sign_in::{describe_oauth_error, oauth_code};
use crate::credentials::fault::CredentialFault;

pub(crate) fn describe_credential_fault(fault: &CredentialFault, name: &str) -> ErrorView {
    let sign_in =
        |message: String| ErrorView::new(Code::SignInRequired, message, format!("Sign in to {name} again."));
    match fault {
        CredentialFault::SecretStore(error) => describe_secret_error(error),
        CredentialFault::Ended => sign_in(format!("{name} signed you out.")),
        CredentialFault::RefreshInterrupted => sign_in(refresh_interrupted(name)),
        CredentialFault::Rejected(cause) => rejected(cause),
        CredentialFault::Expired => {
            sign_in(format!("The sign-in to {name} has expired and cannot be refreshed automatically."))
        }
        CredentialFault::RegistrationLost(cause) => ErrorView {
            code: Code::SignInRequired,
            hint: Some(format!("Sign in to {name} again. Usher will register again.")),
            ..describe_oauth_error(cause)
        },
        CredentialFault::RefreshRejected(cause) => ErrorView {
            code: Code::SignInRequired,
            hint: Some(format!("Sign in to {name} again.")),
            ..describe_oauth_error(cause)
        },
        CredentialFault::Refresh(cause) => ErrorView {
            // The grant is kept and the refresh is retried, whatever the response was.
            code: match oauth_code(cause) {
                code @ Code::TlsFailed => code,
                _ => Code::ServerUnreachable,
            },
            ..describe_oauth_error(cause)
        },
        CredentialFault::RefreshCancelled => ErrorView::new(
            Code::ServerUnreachable,
            "The refresh was cancelled before it finished.",
            "Try again.",
        ),
    }
}

/// Describes a grant without a person that the authorization server refuses. Only a change of the settings helps.
pub(crate) fn rejected(cause: &usher_oauth::Error) -> ErrorView {
    let described = describe_oauth_error(cause);
    let host = cause.host.as_deref().unwrap_or("The service");
    let message = match &cause.kind {
        ErrorKind::InvalidClient { description: Some(why) } => {
            format!("{host} does not accept this client: “{why}”.")
        }
        ErrorKind::InvalidClient { description: None } => format!("{host} does not accept this client."),
        _ => described.message.clone(),
    };
    let hint = Some(rejected_hint(cause).to_owned());
    ErrorView { code: Code::ConfigInvalid, message, hint, ..described }
}

fn rejected_hint(cause: &usher_oauth::Error) -> &'static str {
    match &cause.kind {
        ErrorKind::InvalidClient { .. } => {
            "Check the client ID, and the secret or the private key, in the settings of this service. Then reload."
        }
        _ => "Check the \"oauth\" settings of this service in mcp.json. Then reload.",
    }
}

/// Describes a private key that cannot be used.
pub(crate) fn bad_private_key(error: KeyError) -> ErrorView {
    ErrorView::new(
        Code::ConfigInvalid,
        format!("The private key of this service cannot be used: {error}."),
        "Store an unencrypted key in PEM or as a JSON Web Key with `usher secret set NAME`, then reload.",
    )
}

pub(super) fn refresh_interrupted(name: &str) -> String {
    format!("Usher was interrupted while refreshing the sign-in to {name}, and {name} rejects the old token.")
}

/// Describes a grant that does not fit the entry in `mcp.json` and is therefore not used.
pub(crate) fn quarantined(name: &str) -> ErrorView {
    ErrorView::new(
        Code::SignInRequired,
        format!(
            "The stored sign-in for {name} belongs to another service or client ID, so Usher does not use it."
        ),
        "Sign in again, or restore the old address or client ID in mcp.json.",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use usher_oauth::{Error, Step};

    use super::*;
    use crate::words::sign_in::tests::lines;

    #[test]
    fn every_credential_fault_has_a_message() {
        let refresh = |kind| Error::new(Step::Refresh, Some("as.example.com"), kind);
        let transient = ErrorKind::Transient { status: 503, retry_after: Some(Duration::from_secs(3)) };
        let locked = usher_secrets::Error::Locked { why: "the unlock prompt was dismissed".to_owned() };
        let unavailable = usher_secrets::Error::Unavailable { why: "no bus".to_owned() };
        let faults = [
            CredentialFault::Ended,
            CredentialFault::RefreshInterrupted,
            CredentialFault::Expired,
            CredentialFault::RegistrationLost(refresh(ErrorKind::InvalidClient { description: None })),
            CredentialFault::RefreshRejected(refresh(ErrorKind::TokenError {
                error: "bad_refresh_token".to_owned(),
                description: None,
            })),
            CredentialFault::Refresh(refresh(transient)),
            CredentialFault::Refresh(refresh(ErrorKind::NotJson)),
            CredentialFault::Refresh(refresh(ErrorKind::Tls { why: "self-signed".to_owned() })),
            CredentialFault::SecretStore(Arc::new(locked)),
            CredentialFault::SecretStore(Arc::new(unavailable)),
            CredentialFault::RefreshCancelled,
            CredentialFault::Rejected(refresh(ErrorKind::InvalidClient { description: None })),
        ];
        insta::assert_snapshot!(lines(faults.iter().map(|fault| describe_credential_fault(fault, "Notes"))));
    }
}
