//! The engine: one task a server owns its credentials, its connection and its status.
//!
//! The shell and the command line hold an [`Engine`], send it verbs and read its events. Tokens never leave it.

mod engine;
mod error;
mod event;
mod options;
mod view;

pub use engine::Engine;
pub use error::{Code, ErrorView};
pub use event::{Event, Revision};
pub use options::{
    AuthorizationRequestView, CallOptions, ClientCredentials, ElicitationAnswer, EngineOptions, NewServer,
    SignInOptions, StartError,
};
pub use view::{
    AuthView, ConfigView, ElicitationView, NeedsSignIn, PromptArgumentView, PromptView, RedirectKind,
    RegistrationKind, ResourceView, SecretStoreView, ServerId, ServerView, SignInStep, Snapshot, Status,
    ToolCallView, ToolContent, ToolView, TransportKind,
};
