//! Errors of the rooms below as what a person reads: a code to act on, what happened, what to do next.

use usher_oauth::{ErrorKind, Step};

use crate::connection::fault::Fault;
use crate::credentials::CredentialFault;
use crate::{Code, ErrorView};

/// An error with a hint and no details.
pub(crate) fn error(code: Code, message: impl Into<String>, hint: impl Into<String>) -> ErrorView {
    ErrorView { code, message: message.into(), hint: Some(hint.into()), details: None }
}

/// A server in sentences.
pub(crate) struct Who {
    pub name: String,
    pub host: Option<String>,
}

impl Who {
    /// The name, and the host where the name does not tell it.
    fn at(&self) -> String {
        match &self.host {
            Some(host) if !self.name.contains(host.as_str()) => format!("{} at {host}", self.name),
            Some(_) | None => self.name.clone(),
        }
    }
}

/// A failed step of a sign-in.
pub fn describe_oauth_error(error: &usher_oauth::Error) -> ErrorView {
    let host = error.host.as_deref().unwrap_or("The service");
    let (message, hint) = match (&error.kind, error.step) {
        (ErrorKind::Denied, _) => (format!("{host} says that access was denied."), error.hint()),
        // Only a renewal is tried again by itself: a code is good once.
        (ErrorKind::Transient { .. }, Step::TokenExchange) => {
            (format!("{error}."), "Start the sign-in again.")
        }
        _ => (format!("{error}."), error.hint()),
    };
    ErrorView {
        code: oauth_code(error),
        message,
        hint: Some(hint.to_owned()),
        details: Some(match &error.host {
            Some(host) => format!("step {:?}, host {host}", error.step),
            None => format!("step {:?}", error.step),
        }),
    }
}

fn oauth_code(error: &usher_oauth::Error) -> Code {
    match &error.kind {
        ErrorKind::Unreachable { .. }
        | ErrorKind::ConnectionLost { .. }
        | ErrorKind::Timeout
        | ErrorKind::Transient { .. } => Code::ServerUnreachable,
        ErrorKind::Tls { .. } => Code::TlsFailed,
        ErrorKind::RegistrationUnsupported | ErrorKind::RegistrationRejected { .. } => {
            Code::RegistrationUnsupported
        }
        ErrorKind::ClientSecretMissing => Code::ConfigInvalid,
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
        | ErrorKind::IssuerMismatch { .. }
        | ErrorKind::ResourceMismatch { .. }
        | ErrorKind::PkceUnsupported
        | ErrorKind::ReservedParameter(_)
        | ErrorKind::TokenError { .. }
        | ErrorKind::UnsupportedTokenType(_)
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

/// A fault of `mcp.json`.
pub fn describe_config_error(error: &usher_config::ConfigError) -> ErrorView {
    ErrorView { code: Code::ConfigInvalid, message: format!("{error}."), hint: error.hint(), details: None }
}

/// A fault of the secret store.
pub fn describe_secret_error(error: &usher_secrets::Error) -> ErrorView {
    let code = if error.is_locked() { Code::KeychainLocked } else { Code::KeychainUnavailable };
    ErrorView { code, message: capitalized(&format!("{error}.")), hint: Some(error.hint()), details: None }
}

/// A template of `mcp.json` that cannot be filled.
pub(crate) fn describe_render_error(render: &usher_config::RenderError) -> ErrorView {
    error(Code::ConfigInvalid, capitalized(&format!("{render}.")), render.hint())
}

/// Why there is no token, for the server of that name.
pub(crate) fn describe_credential_fault(fault: &CredentialFault, name: &str) -> ErrorView {
    let again = format!("Sign in to {name} again.");
    match fault {
        CredentialFault::SecretStore(error) => describe_secret_error(error),
        CredentialFault::Over => error(Code::SignInRequired, format!("{name} ended the sign-in."), again),
        CredentialFault::RenewalLost => error(
            Code::SignInRequired,
            format!(
                "Renewing the sign-in to {name} was cut off, and {name} does not take what is left of it."
            ),
            again,
        ),
        CredentialFault::Expired => error(
            Code::SignInRequired,
            format!("The sign-in to {name} has run out, and the service gave no way to renew it."),
            again,
        ),
        CredentialFault::RegistrationLost(cause) => ErrorView {
            code: Code::SignInRequired,
            hint: Some(format!("Sign in to {name} again; Usher registers anew.")),
            ..describe_oauth_error(cause)
        },
        CredentialFault::Refresh(cause) => ErrorView {
            // Whatever the answer was, the sign-in is kept and tried again.
            code: match oauth_code(cause) {
                code @ Code::TlsFailed => code,
                _ => Code::ServerUnreachable,
            },
            ..describe_oauth_error(cause)
        },
        CredentialFault::Interrupted => {
            error(Code::ServerUnreachable, "Renewing the sign-in was interrupted.", "Try again.")
        }
    }
}

/// A server that asks for more permission however much it was given.
pub(crate) fn never_content(name: &str) -> ErrorView {
    error(
        Code::ProtocolError,
        format!("{name} asks for more permission each time it is given some."),
        "Ask the service's operator which permissions this needs.",
    )
}

/// What went wrong between us and a server.
pub(crate) fn describe_fault(fault: &Fault, who: &Who) -> ErrorView {
    let (name, at) = (&who.name, who.at());
    match fault {
        Fault::Unauthorized { token_sent: false, .. } => error(
            Code::SignInRequired,
            format!("{name} needs you to sign in."),
            format!("Sign in to {name}."),
        ),
        Fault::Unauthorized { token_sent: true, .. } => error(
            Code::SignInRequired,
            format!("{name} no longer takes this sign-in."),
            format!("Sign in to {name} again."),
        ),
        Fault::InsufficientScope { challenge } => ErrorView {
            details: challenge.scope.as_ref().map(|scope| format!("scope {scope}")),
            ..error(
                Code::InsufficientScope,
                format!("{name} asks for more permission."),
                format!("Sign in to {name} again and agree to it."),
            )
        },
        Fault::Exchange(cause) => describe_oauth_error(cause),
        Fault::Credentials(fault) => describe_credential_fault(fault, name),
        Fault::Unreachable(why) => ErrorView {
            details: Some(why.clone()),
            ..error(
                Code::ServerUnreachable,
                format!("{at} cannot be reached."),
                "Check the network and the address; Usher tries again by itself.",
            )
        },
        Fault::Tls(why) => ErrorView {
            details: Some(why.clone()),
            ..error(
                Code::TlsFailed,
                format!("No secure connection to {at} could be made."),
                "Check this computer's date and network: a captive portal or an inspecting proxy does this.",
            )
        },
        Fault::TimedOut(seconds) => error(
            Code::ServerUnreachable,
            format!("{at} did not answer within {seconds} seconds."),
            "Try again in a moment.",
        ),
        Fault::Status { status: 403, .. } => error(
            Code::ProtocolError,
            format!("{name} does not let you do this (HTTP 403)."),
            "Ask the service's operator whether your account may use it.",
        ),
        Fault::Status { status: status @ (404 | 405 | 410), .. } => error(
            Code::ProtocolError,
            format!("There is no MCP service at the address of {name} (HTTP {status})."),
            "Check the address.",
        ),
        Fault::Status { status, .. } if fault.is_transient() => error(
            Code::ServerUnreachable,
            format!("{at} has trouble (HTTP {status})."),
            "Try again in a moment; Usher does so by itself.",
        ),
        Fault::Status { status, .. } => error(
            Code::ProtocolError,
            format!("{name} refused the request (HTTP {status})."),
            "Check the address and the headers in mcp.json.",
        ),
        Fault::Redirected { host } => error(
            Code::ProtocolError,
            match host {
                Some(host) => {
                    format!("{name} sends its callers to {host}, and Usher does not take a sign-in there.")
                }
                None => format!("{name} sends its callers around in a way that Usher does not follow."),
            },
            "If the service moved, change its address.",
        ),
        Fault::Lost => error(
            Code::ServerUnreachable,
            format!("The connection to {name} was lost."),
            "Try again; whether the last call was carried out is not known.",
        ),
        Fault::Rpc { code, message } => ErrorView {
            code: Code::ProtocolError,
            message: format!("{name} says: {}", usher_config::display_text(message, 500)),
            hint: None,
            details: Some(format!("JSON-RPC error {code}")),
        },
        Fault::Protocol(what) => error(
            Code::ProtocolError,
            format!("Talking to {at} failed: {}.", usher_config::display_text(what, 500)),
            "Check that the address is that of an MCP service.",
        ),
        Fault::Setup(view) => view.as_ref().clone(),
        Fault::Cancelled => ErrorView {
            code: Code::ProtocolError,
            message: "The call was cancelled.".to_owned(),
            hint: None,
            details: None,
        },
    }
}

/// Errors below speak in the middle of a sentence; this one begins it.
fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use usher_oauth::BearerChallenge;

    use super::*;

    fn lines(views: impl IntoIterator<Item = ErrorView>) -> String {
        let line = |view: ErrorView| {
            format!("{:?}: {} | {}", view.code, view.message, view.hint.as_deref().unwrap_or("-"))
        };
        views.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn step(step: Step, kind: ErrorKind) -> usher_oauth::Error {
        usher_oauth::Error { step, host: Some("as.example.com".to_owned()), kind }
    }

    #[test]
    fn what_is_said_of_a_server() {
        let who = Who { name: "Notes".to_owned(), host: Some("mcp.example.com".to_owned()) };
        let challenge = || Box::new(BearerChallenge::default());
        let faults = [
            Fault::Unauthorized { challenge: None, token_sent: false },
            Fault::Unauthorized { challenge: None, token_sent: true },
            Fault::InsufficientScope { challenge: challenge() },
            Fault::Unreachable("connection refused".to_owned()),
            Fault::Tls("certificate has expired".to_owned()),
            Fault::TimedOut(30),
            Fault::Status { status: 403, retry_after: None },
            Fault::Status { status: 404, retry_after: None },
            Fault::Status { status: 418, retry_after: None },
            Fault::Status { status: 429, retry_after: Some(3) },
            Fault::Status { status: 502, retry_after: None },
            Fault::Redirected { host: Some("evil.example".to_owned()) },
            Fault::Redirected { host: None },
            Fault::Lost,
            Fault::Rpc { code: -32602, message: "no \u{1b}[31msuch tool".to_owned() },
            Fault::Protocol("the server answered with text/html instead of JSON".to_owned()),
            Fault::Cancelled,
        ];
        insta::assert_snapshot!(lines(faults.iter().map(|fault| describe_fault(fault, &who))));
    }

    #[test]
    fn what_is_said_of_a_kept_sign_in() {
        let transient = ErrorKind::Transient { status: 503, retry_after: Some(Duration::from_secs(3)) };
        let locked = usher_secrets::Error::Locked { why: "nobody unlocked it".to_owned() };
        let faults = [
            CredentialFault::Over,
            CredentialFault::RenewalLost,
            CredentialFault::Expired,
            CredentialFault::RegistrationLost(step(
                Step::Refresh,
                ErrorKind::InvalidClient { description: None },
            )),
            CredentialFault::Refresh(step(Step::Refresh, transient)),
            CredentialFault::Refresh(step(Step::Refresh, ErrorKind::NotJson)),
            CredentialFault::Refresh(step(Step::Refresh, ErrorKind::Tls { why: "self-signed".to_owned() })),
            CredentialFault::SecretStore(Arc::new(locked)),
            CredentialFault::SecretStore(Arc::new(usher_secrets::Error::Unavailable {
                why: "no bus".to_owned(),
            })),
            CredentialFault::Interrupted,
        ];
        insta::assert_snapshot!(lines(faults.iter().map(|fault| describe_credential_fault(fault, "Notes"))));
    }

    #[test]
    fn what_is_said_of_a_sign_in() {
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
            step(Step::Callback, ErrorKind::BadCallback { why: "it holds a fragment" }),
            step(Step::Callback, ErrorKind::Expired),
            step(Step::Callback, ErrorKind::CallbackIssuerMismatch { expected: text("a"), received: None }),
            step(Step::TokenExchange, transient()),
            step(Step::TokenExchange, ErrorKind::InvalidGrant { description: None }),
            step(Step::TokenExchange, ErrorKind::UnsupportedTokenType(text("DPoP"))),
        ];
        insta::assert_snapshot!(lines(errors.iter().map(describe_oauth_error)));
    }
}
