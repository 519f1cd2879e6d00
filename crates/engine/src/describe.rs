//! Errors of the rooms below as what a person reads: a code to act on, what happened, what to do next.

use usher_oauth::{ErrorKind, Step};

use crate::credentials::CredentialFault;
use crate::fault::Fault;
use crate::{Code, ErrorView};

/// An error with a hint and no details.
pub(crate) fn error(code: Code, message: impl Into<String>, hint: impl Into<String>) -> ErrorView {
    ErrorView { code, message: message.into(), hint: Some(hint.into()), details: None }
}

/// A failed step of a sign-in.
pub fn describe_oauth_error(error: &usher_oauth::Error) -> ErrorView {
    ErrorView {
        code: oauth_code(error),
        message: format!("{error}."),
        hint: Some(error.hint().to_owned()),
        details: Some(match &error.host {
            Some(host) => format!("step {:?}, host {host}", error.step),
            None => format!("step {:?}", error.step),
        }),
    }
}

fn oauth_code(error: &usher_oauth::Error) -> Code {
    match &error.kind {
        ErrorKind::Unreachable { .. } | ErrorKind::Timeout | ErrorKind::Transient { .. } => {
            Code::ServerUnreachable
        }
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
        ErrorKind::AuthorizationError { .. } | ErrorKind::IssMismatch { .. } => Code::AuthorizationDenied,
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
        | ErrorKind::TokenRefused { .. }
        | ErrorKind::TokenTypeUnknown(_)
        | ErrorKind::ResourceRefused { .. } => match error.step {
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

/// What went wrong between us and the server of that name.
pub(crate) fn describe_fault(fault: &Fault, name: &str) -> ErrorView {
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
        Fault::Credentials(fault) => describe_credential_fault(fault, name),
        Fault::Unreachable(why) => ErrorView {
            details: Some(why.clone()),
            ..error(
                Code::ServerUnreachable,
                format!("{name} cannot be reached."),
                "Check the network and the address; Usher tries again by itself.",
            )
        },
        Fault::Tls(why) => ErrorView {
            details: Some(why.clone()),
            ..error(
                Code::TlsFailed,
                format!("No secure connection to {name} could be made."),
                "Check this computer's date and network: a captive portal or an inspecting proxy does this.",
            )
        },
        Fault::TimedOut(seconds) => error(
            Code::ServerUnreachable,
            format!("{name} did not answer within {seconds} seconds."),
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
            format!("{name} has trouble (HTTP {status})."),
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
        Fault::Protocol(what) => ErrorView {
            code: Code::ProtocolError,
            message: capitalized(&format!("{}.", usher_config::display_text(what, 500))),
            hint: Some("Check that the address is that of an MCP service.".to_owned()),
            details: None,
        },
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
