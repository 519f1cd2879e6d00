//! The engine: one task a server owns its credentials, its connection and its status.
//!
//! The shell and the command line hold an [`Engine`], send it verbs and read its events. Tokens never leave it.

mod add;
mod board;
mod call;
mod caller;
mod clock;
mod config_view;
mod connection;
mod credentials;
mod describe;
mod engine;
mod events;
mod kept;
mod lock;
mod options;
mod running;
mod server;
mod shared;
mod sign_in;
mod verbs;
mod wake;

pub use clock::Clock;
pub use describe::{describe_config_error, describe_oauth_error, describe_secret_error};
pub use engine::Engine;
pub use events::Events;
pub use lock::listens_at;
pub use options::{CallOptions, ClientCredentials, EngineOptions, SignInOptions, StartError};
pub use usher_api::{
    AuthView, AuthorizationRequestView, Code, ConfigView, ElicitationAnswer, ElicitationView, ErrorView,
    Event, NeedsSignIn, NewServer, PermissionView, PromptArgumentView, PromptView, RedirectKind,
    RegistrationKind, ResourceView, Revision, SecretStoreView, ServerId, ServerView, SignInStep, Snapshot,
    Status, ToolCallView, ToolContent, ToolView, TransportKind,
};
