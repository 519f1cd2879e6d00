//! The types that Usher's processes and its page exchange.
//!
//! The page and other processes send the engine a [`Request`], and get a [`Reply`] or an [`ErrorView`]. They follow the
//! engine's state through a [`Snapshot`] and the [`Event`]s after it. No type has a field for a token, a verifier or a
//! client secret, so none of these can leave the engine.
//!
//! | module | contents |
//! |---|---|
//! | `request`, `reply` | a request with its arguments, and its result |
//! | `snapshot`, `event`, `revision` | the engine's public state, one change to it, and its version |
//! | `server`, `auth`, `status` | one server: its view, its sign-in, its state |
//! | `secret` | the named secrets: their uses, and the origins to which they may be sent |
//! | `program` | a local program: its launch, its approval and its output |
//! | `tool`, `resource`, `prompt` | a server's tools, resources and prompts |
//! | `elicitation` | a server's question to the person, and the answer |
//! | `config_text` | the text of `mcp.json`, for an editor |
//! | `error` | a failure as a code, a message and a hint |
//!
//! ```
//! use usher_api::{Request, ServerId, ServerVerb};
//!
//! let request = Request::Server { server: ServerId("notion".to_owned()), verb: ServerVerb::Connect };
//! let line = serde_json::to_string(&request)?;
//! assert_eq!(line, r#"{"request":"server","server":"notion","verb":"connect"}"#);
//! assert_eq!(serde_json::from_str::<Request>(&line)?, request);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod auth;
mod bridge;
mod config_text;
mod elicitation;
mod entry;
mod error;
mod event;
mod program;
mod prompt;
mod reply;
mod request;
mod resource;
mod revision;
mod secret;
mod server;
mod snapshot;
mod status;
mod tool;

pub use auth::{AuthView, RedirectKind, RegistrationKind};
pub use bridge::{BridgeFirstMessage, BridgeHello, BridgeReply, BridgeTarget};
pub use config_text::{ConfigSaveView, ConfigTextCheckView, ConfigTextView};
pub use elicitation::{CallingProgram, ElicitationAnswer, ElicitationView};
pub use entry::{
    EntryCheckView, EntryDraftView, EntryProblemView, EntryRemovalView, EntrySecretState, EntrySecretView,
    EntrySignIn, EntryView, ProbeView, SameAddressView,
};
pub use error::{Code, ErrorView};
pub use event::{ConfigChangesView, Event};
pub use program::{LaunchView, ProgramView};
pub use prompt::{PromptArgumentView, PromptView};
pub use reply::{AuthorizationRequestView, OrphanView, Reply, SignInRequest};
pub use request::{NewProgram, NewServer, Request, ServerVerb};
pub use resource::ResourceView;
pub use revision::Revision;
pub use secret::{SecretState, SecretUseView, SecretView, SecretsView};
pub use server::{
    EndpointsView, EntryErrorView, PermissionView, SecretRequestView, ServerId, ServerView, TransportKind,
    Want,
};
pub use snapshot::{ConfigView, SecretStoreView, Snapshot};
pub use status::{DeviceSignInView, NeedsSignIn, SignInStep, Status};
pub use tool::{ToolCallView, ToolContent, ToolView};
