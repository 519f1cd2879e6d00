//! Messages about the steps of a sign-in.

use usher_api::{Code, ErrorView};
use usher_config::display_text;
use usher_oauth::{ErrorKind, ForeignEndpoints, Step};

/// Describes a failed step of a sign-in.
pub fn describe_oauth_error(error: &usher_oauth::Error) -> ErrorView {
    let host = error.host.as_deref().unwrap_or("The service");
    let (message, hint) = match (&error.kind, error.step) {
        (ErrorKind::Denied, _) => (format!("{host} reports that access was denied."), error.hint()),
        // A refresh is retried automatically. A code can be used only once.
        (ErrorKind::Transient { .. }, Step::TokenExchange) => {
            (format!("{error}."), "Start the sign-in again.")
        }
        _ => (format!("{error}."), error.hint()),
    };
    ErrorView { code: oauth_code(error), message, hint: Some(hint.to_owned()), details: Some(details(error)) }
}

/// Returns the step and the host, and a line for each address that was tried.
fn details(error: &usher_oauth::Error) -> String {
    let step = match &error.host {
        Some(host) => format!("step {:?}, host {host}", error.step),
        None => format!("step {:?}", error.step),
    };
    let tried = error.tried.iter().map(|attempt| format!("{}: {}", attempt.url, attempt.why));
    std::iter::once(step).chain(tried).collect::<Vec<_>>().join("\n")
}

pub(super) fn oauth_code(error: &usher_oauth::Error) -> Code {
    match &error.kind {
        ErrorKind::Unreachable { .. }
        | ErrorKind::ConnectionLost { .. }
        | ErrorKind::Timeout
        | ErrorKind::SlowDown { .. }
        // The platform replaces its assertion.
        | ErrorKind::AssertionExpired
        | ErrorKind::AssertionMissing
        | ErrorKind::Transient { .. } => Code::ServerUnreachable,
        ErrorKind::Tls { .. } => Code::TlsFailed,
        ErrorKind::RegistrationUnsupported | ErrorKind::RegistrationRejected { .. } => {
            Code::RegistrationUnsupported
        }
        ErrorKind::ClientSecretMissing
        | ErrorKind::SettingMissing { .. }
        | ErrorKind::SigningFailed => Code::ConfigInvalid,
        ErrorKind::RedirectRejected { .. } | ErrorKind::BadRedirectUri { .. } => Code::RedirectRejected,
        ErrorKind::Denied => Code::AuthorizationDenied,
        ErrorKind::Expired | ErrorKind::StateMismatch | ErrorKind::BadCallback { .. } => {
            Code::AuthorizationExpired
        }
        ErrorKind::AuthorizationError { .. } | ErrorKind::CallbackIssuerMismatch { .. } => {
            Code::AuthorizationDenied
        }
        ErrorKind::InvalidGrant { .. } | ErrorKind::NoRefreshToken | ErrorKind::InvalidClient { .. } => {
            Code::SignInRequired
        }
        ErrorKind::Status(_)
        | ErrorKind::TooLarge
        | ErrorKind::NotJson
        | ErrorKind::Malformed { .. }
        | ErrorKind::BadRedirect { .. }
        | ErrorKind::BadEndpoint { .. }
        | ErrorKind::BlockedAddress { .. }
        | ErrorKind::MetadataMissing
        | ErrorKind::DeviceUnsupported
        | ErrorKind::IssuerMismatch { .. }
        | ErrorKind::ResourceMismatch { .. }
        | ErrorKind::PkceUnsupported
        | ErrorKind::ReservedParameter(_)
        | ErrorKind::TokenError { .. }
        | ErrorKind::ProofRefused { .. }
        | ErrorKind::NonceRefused
        | ErrorKind::UnsupportedTokenType(_)
        | ErrorKind::InvalidTarget { .. }
        | ErrorKind::ResourceRejected { .. } => match error.step {
            Step::Probe
            | Step::ResourceMetadata
            | Step::ServerMetadata
            | Step::Registration
            | Step::Authorization => Code::DiscoveryFailed,
            Step::Callback => Code::AuthorizationDenied,
            Step::TokenExchange | Step::Refresh | Step::Revocation => Code::ProtocolError,
        },
    }
}

/// Describes an authorization server whose endpoints belong to another site than its issuer.
pub(crate) fn unconfirmed_endpoints(server: &str, endpoints: &ForeignEndpoints) -> ErrorView {
    let ForeignEndpoints { issuer, page, token, foreign } = endpoints;
    let server = display_text(server, 80);
    ErrorView::new(
        Code::EndpointsUnconfirmed,
        format!(
            "To sign in to “{server}”, {issuer} opens a page of {page} and sends your approval to {token}. They do not \
             belong to the same site."
        ),
        format!("Continue only if you know that {issuer} works with {}.", foreign.join(" and ")),
    )
}

/// Describes a sign-in without a browser on this computer, for a caller that supports no other.
pub(crate) fn not_in_browser() -> ErrorView {
    ErrorView::new(
        Code::ProtocolError,
        "This sign-in does not use a browser on this computer.",
        "Start it in Usher's window, or with `usher login`.",
    )
}

pub(crate) fn already_over() -> ErrorView {
    ErrorView::new(Code::AuthorizationExpired, "This sign-in has already ended.", "Sign in again.")
}

/// Describes a callback whose `state` belongs to no waiting sign-in.
pub(crate) fn unknown_state() -> ErrorView {
    ErrorView::new(
        Code::AuthorizationExpired,
        "No waiting sign-in matches this callback.",
        "Finish the sign-in in the latest browser page, or start again.",
    )
}

pub(crate) fn superseded() -> ErrorView {
    ErrorView::new(Code::AuthorizationExpired, "A newer sign-in replaced this one.", "Finish the newer one.")
}

pub(crate) fn cancelled() -> ErrorView {
    ErrorView::new(Code::AuthorizationDenied, "The sign-in was cancelled.", "Sign in again.")
}

pub(crate) fn signed_out_meanwhile() -> ErrorView {
    ErrorView::new(Code::AuthorizationDenied, "You signed out in the meantime.", "Sign in again.")
}

pub(crate) fn timed_out() -> ErrorView {
    ErrorView::new(
        Code::AuthorizationExpired,
        "The sign-in timed out.",
        "Sign in again. If the page showed an error, try another return method.",
    )
}

pub(crate) fn none_waiting() -> ErrorView {
    ErrorView::new(Code::AuthorizationExpired, "No sign-in is waiting for the browser.", "Sign in again.")
}

pub(crate) fn no_other_redirect() -> ErrorView {
    ErrorView::new(
        Code::RedirectRejected,
        "There is no other return method to try.",
        "Contact the service's support.",
    )
}

/// Describes a loopback listener that cannot bind a port.
pub(crate) fn cannot_listen(error: &std::io::Error) -> ErrorView {
    ErrorView::new(
        Code::RedirectRejected,
        "Usher could not open a port for the browser to return to.",
        "Use another return method: paste the address from the browser.",
    )
    .with_details(error.to_string())
}

pub(crate) fn quitting() -> ErrorView {
    ErrorView::new(Code::AuthorizationExpired, "Usher is quitting.", "Sign in again.")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn lines(views: impl IntoIterator<Item = ErrorView>) -> String {
        let line = |view: ErrorView| {
            format!("{:?}: {} | {}", view.code, view.message, view.hint.as_deref().unwrap_or("-"))
        };
        views.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn step(step: Step, kind: ErrorKind) -> usher_oauth::Error {
        usher_oauth::Error::new(step, Some("as.example.com"), kind)
    }

    #[test]
    fn every_oauth_error_has_a_message() {
        let text = |text: &str| text.to_owned();
        let transient = || ErrorKind::Transient { status: 500, retry_after: None };
        let errors = [
            step(Step::Probe, ErrorKind::Unreachable { why: text("no route") }),
            step(Step::ServerMetadata, ErrorKind::NotJson),
            step(Step::ServerMetadata, ErrorKind::IssuerMismatch { expected: text("a"), found: text("b") }),
            step(
                Step::ServerMetadata,
                ErrorKind::BadEndpoint {
                    name: text("the token endpoint"),
                    why: text("it is not a web address"),
                },
            ),
            step(Step::Registration, ErrorKind::RegistrationUnsupported),
            step(Step::Registration, ErrorKind::RegistrationRejected { status: 403, why: None }),
            step(Step::Registration, ErrorKind::RedirectRejected { why: None }),
            step(Step::Callback, ErrorKind::Denied),
            step(Step::Callback, ErrorKind::BadCallback { why: "it contains a fragment" }),
            step(Step::Callback, ErrorKind::Expired),
            step(Step::Callback, ErrorKind::CallbackIssuerMismatch { expected: text("a"), received: None }),
            step(Step::TokenExchange, transient()),
            step(Step::TokenExchange, ErrorKind::InvalidGrant { description: None }),
            step(Step::TokenExchange, ErrorKind::UnsupportedTokenType(text("MAC"))),
        ];
        insta::assert_snapshot!(lines(errors.iter().map(describe_oauth_error)));
    }
}
