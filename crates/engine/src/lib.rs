//! The engine: signs in to MCP servers, refreshes their grants and keeps their connections open.
//!
//! The app and the command line hold an [`Engine`], call its verbs and follow its events. Each server has one task,
//! which alone writes the server's state. Tokens never leave this crate.
//!
//! | module | contents |
//! |---|---|
//! | `engine`, `verbs` | the public handle; its verbs, one file for each noun |
//! | `run`, `servers`, `context` | one run from the lock to the end; the servers that run; what every server uses |
//! | `server` | one server's task: its phases, its transitions, its view |
//! | `endpoint` | how a server is reached, from its entry of `mcp.json` |
//! | `sign_in` | discovery and registration, redirect, callback, exchange, revocation |
//! | `credentials` | one server's grant: stored, cached, refreshed |
//! | `connection` | a live MCP connection over any channel; Streamable HTTP |
//! | `calls` | tool calls, which may wait for a permission or be repeated |
//! | `board`, `events`, `caller` | the public state, its events, and their readers |
//! | `words` | errors and states as sentences, one file for each source |
//! | `learned`, `refresh_journal`, `secret_stores`, `lock` | what is on disk |
//! | `wake`, `clock`, `backoff` | time |
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
//! // The browser returns to a link of the app, which hands it over:
//! # let callback = "dev.usher.desktop:/oauth/callback?code=…&state=…";
//! engine.complete_sign_in(callback).await?;
//! let result = engine.call_tool(&notion, "search", Default::default(), CallOptions::new("first")).await?;
//! # Ok(())
//! # }
//! ```

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
mod learned;
mod lock;
mod options;
mod refresh_journal;
mod run;
mod secret_stores;
mod server;
mod servers;
mod sign_in;
mod verbs;
mod wake;
mod words;

pub use clock::Clock;
pub use engine::Engine;
pub use events::Events;
pub use lock::listens_at;
pub use options::{CallOptions, EngineOptions, PreRegisteredClient, SignInOptions, StartError};
pub use words::config::describe_config_error;
pub use words::secret_store::describe_secret_error;
pub use words::sign_in::describe_oauth_error;
