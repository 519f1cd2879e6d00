//! How a command ends: the exit code is the boundary's code, told to a shell.

use usher_api::{Code, ErrorView};
use usher_config::ConfigError;

/// An error on its way out: what to print and the code to end with.
#[derive(Debug)]
pub struct Failure {
    pub error: ErrorView,
    pub exit_code: u8,
}

/// Wrong words: an unknown server, arguments that are not JSON.
pub const WRONG_WORDS: u8 = 2;

/// The exit code of a boundary code: 3 sign-in needed, 4 unreachable, 5 refused by the server or the person,
/// 6 config invalid, 7 keychain, 1 for what is our own fault.
pub fn exit_code(code: Code) -> u8 {
    match code {
        Code::EngineBusy | Code::Internal => 1,
        Code::SignInRequired | Code::InsufficientScope | Code::AuthorizationExpired => 3,
        Code::ServerUnreachable | Code::TlsFailed => 4,
        Code::DiscoveryFailed
        | Code::RegistrationUnsupported
        | Code::RedirectRejected
        | Code::AuthorizationDenied
        | Code::ProcessExited
        | Code::ProtocolError => 5,
        Code::ConfigInvalid => 6,
        Code::KeychainUnavailable | Code::KeychainLocked => 7,
    }
}

impl From<ErrorView> for Failure {
    fn from(error: ErrorView) -> Self {
        let exit_code = exit_code(error.code);
        Self { error, exit_code }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let mut failure = Failure::from(usher_engine::describe_config_error(&error));
        failure.exit_code = match error {
            ConfigError::ServerExists { .. }
            | ConfigError::NoSuchServer { .. }
            | ConfigError::InvalidServer { .. } => WRONG_WORDS,
            ConfigError::Invalid { .. } | ConfigError::Io { .. } | ConfigError::KeepsChanging { .. } => {
                failure.exit_code
            }
        };
        failure
    }
}

impl From<usher_secrets::Error> for Failure {
    fn from(error: usher_secrets::Error) -> Self {
        usher_engine::describe_secret_error(&error).into()
    }
}

/// The person's words do not fit: ends with 2.
pub fn wrong_words(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure {
        error: ErrorView {
            code: Code::Internal,
            message: message.into(),
            hint: Some(hint.into()),
            details: None,
        },
        exit_code: WRONG_WORDS,
    }
}

/// Something on this machine failed that is neither the server's matter nor the person's.
pub fn internal(message: impl Into<String>) -> Failure {
    ErrorView { code: Code::Internal, message: message.into(), hint: None, details: None }.into()
}

/// No server of that name.
pub fn unknown_server(name: &str) -> Failure {
    wrong_words(
        format!("There is no server named “{}”.", usher_config::display_text(name, 80)),
        "`usher list` shows the names.",
    )
}
