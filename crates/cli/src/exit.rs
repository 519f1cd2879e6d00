//! The error that ends a command, and its exit code.

use usher_api::{Code, ErrorView};
use usher_config::ConfigError;

/// An error to print, and the exit code to end with.
#[derive(Debug)]
pub struct CommandError {
    pub error: ErrorView,
    pub exit_code: u8,
}

/// The exit code for an unknown server or an invalid argument.
pub const USAGE_ERROR: u8 = 2;

/// Maps an error code to its exit code: 1 internal error, 3 sign-in or permission needed, 4 unreachable, 5 rejected by the server or
/// denied by the person, 6 config invalid, 7 keychain.
pub fn exit_code(code: Code) -> u8 {
    match code {
        Code::EngineBusy | Code::Internal => 1,
        Code::SignInRequired
        | Code::InsufficientScope
        | Code::SecretNotAllowed
        | Code::ApprovalNeeded
        | Code::AuthorizationExpired
        | Code::EndpointsUnconfirmed => 3,
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

impl CommandError {
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.error.hint = Some(hint.into());
        self
    }
}

impl From<ErrorView> for CommandError {
    fn from(error: ErrorView) -> Self {
        let exit_code = exit_code(error.code);
        Self { error, exit_code }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let view = usher_engine::describe_config_error(&error);
        let exit_code = match error {
            ConfigError::ServerExists { .. }
            | ConfigError::NoSuchServer { .. }
            | ConfigError::InvalidServer { .. } => USAGE_ERROR,
            ConfigError::Invalid { .. }
            | ConfigError::BrokenServer { .. }
            | ConfigError::Io { .. }
            | ConfigError::EntryChanged { .. }
            | ConfigError::FileChanged { .. }
            | ConfigError::InvalidText { .. }
            | ConfigError::KeepsChanging { .. } => exit_code(view.code),
        };
        Self { error: view, exit_code }
    }
}

impl From<usher_secrets::Error> for CommandError {
    fn from(error: usher_secrets::Error) -> Self {
        usher_engine::describe_secret_error(&error).into()
    }
}

/// An error in the arguments, found after they were parsed.
pub fn usage_error(message: impl Into<String>, hint: impl Into<String>) -> CommandError {
    CommandError { error: ErrorView::new(Code::Internal, message, hint), exit_code: USAGE_ERROR }
}

/// An error in Usher itself or on this machine.
pub fn internal(message: impl Into<String>) -> CommandError {
    ErrorView::without_hint(Code::Internal, message).into()
}

pub fn unknown_server(name: &str) -> CommandError {
    usage_error(
        format!("There is no server named “{}”.", usher_config::display_text(name, 80)),
        "Run `usher list` to see the names.",
    )
}
