//! The engine: one task a server owns its credentials, its connection and its status.
//!
//! The shell and the command line hold an engine, send it verbs and read its events. Tokens never leave it.

mod error;
mod event;
mod view;

pub use error::{Code, ErrorView};
pub use event::{Event, Revision};
pub use view::{
    AuthView, ConfigView, ElicitationView, NeedsSignIn, RedirectKind, RegistrationKind, SecretStoreView,
    ServerId, ServerView, SignInStep, Snapshot, Status, ToolCallView, ToolContent, ToolView, TransportKind,
};
