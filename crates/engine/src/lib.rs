//! The engine: signs in to MCP servers, refreshes their grants and keeps their connections open.
//!
//! The app and the command line hold an [`Engine`], call its methods and subscribe to its events. Each server has one
//! task, the only writer of the server's state. Tokens never leave this crate.
//!
//! | module | contents |
//! |---|---|
//! | `engine`, `verbs` | the public handle; its methods, grouped by subject |
//! | `run`, `servers`, `context` | one run of the engine; the running servers; the parts that all servers share |
//! | `server` | one server's task: its phases, transitions and view |
//! | `endpoint` | how to reach a server, according to its entry in `mcp.json` |
//! | `program` | local programs: the person's approval, the start, and the end with everything that they started |
//! | `sign_in` | discovery and registration, redirect, callback, exchange, revocation |
//! | `credentials` | one server's grant: storage, cache and refresh |
//! | `connection` | a live MCP connection over any channel; Streamable HTTP |
//! | `calls` | calls, which may wait for a permission and may be repeated |
//! | `board`, `events`, `caller` | the public state, its events, and the callers that receive them |
//! | `words` | the messages for the person, one file for each source of errors |
//! | `learned`, `server_key`, `state_file`, `allowed_origins`, `last_uses`, `refresh_journal`, `secret_stores`, `lock` | the files on disk and the secret store |
//! | `wake`, `clock`, `backoff` | sleep and network changes, the clock, the delay before a retry |
//! | `fuzzing` | the parsers that `tests/fuzz` calls |
//!
//! ```no_run
//! use usher_engine::{CallOptions, Engine, EngineOptions};
//! use usher_api::ServerId;
//!
//! # async fn example(options: EngineOptions) -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::start(options).await?;
//! let notion = ServerId("notion".to_owned());
//! let request = engine.sign_in(&notion, Default::default()).await?;
//! println!("Open {}", request.authorization_url);
//! // The browser opens the callback link, and the app passes it on:
//! # let callback = "dev.usher.desktop:/oauth/callback?code=…&state=…";
//! engine.complete_sign_in(callback).await?;
//! let result = engine.call_tool(&notion, "search", Default::default(), CallOptions::new("first")).await?;
//! # Ok(())
//! # }
//! ```

mod allowed_origins;
mod backoff;
mod board;
mod caller;
mod calls;
mod clock;
mod connection;
mod context;
mod credentials;
mod endpoint;
mod engine;
mod events;
#[doc(hidden)]
pub mod fuzzing;
mod last_uses;
mod learned;
mod lock;
mod options;
mod placeholders;
mod program;
mod refresh_journal;
mod run;
mod secret_stores;
mod server;
mod server_key;
mod servers;
mod sign_in;
mod state_file;
mod verbs;
mod wake;
mod words;

pub use allowed_origins::allowed_origins;
pub use calls::call::{CallError, OnProgress};
pub use clock::Clock;
pub use connection::introduction::Introduction;
pub use connection::offers::ListName;
pub use connection::progress::Progress;
pub use connection::rpc_error::RpcError;
pub use engine::Engine;
pub use events::Events;
pub use lock::listens_at;
pub use options::{
    CallOptions, EngineOptions, EntryInput, PreRegisteredClient, SecretPlace, SignInOptions, StartError,
};
pub use program::launch::digest_of_command;
pub use verbs::{MAX_SECRET_BYTES, RelayedRequest};
pub use words::config::describe_config_error;
pub use words::secret_store::describe_secret_error;
pub use words::sign_in::describe_oauth_error;
