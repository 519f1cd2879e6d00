//! The local socket through which a person's other processes use the engine.
//!
//! One process holds the engine and runs a [`Server`] beside it; every other process is a [`Client`]. [`Access`] covers
//! both. The messages are [`usher_api::Request`]s and [`usher_api::Reply`]s, one line of JSON each. No request has a
//! field for a secret.
//!
//! | module | contents |
//! |---|---|
//! | `access` | starts the engine, or joins the process that holds it |
//! | `holder` | the process that holds the engine |
//! | `server`, `session` | the holder's side: the listener, and one client's connection |
//! | `clients` | the connected clients, of which an idle one makes room for a new one |
//! | `work` | the work that a holder finishes before it ends |
//! | `client`, `mirror` | the client's side: requests, and a copy of the engine's state |
//! | `message`, `paths` | the messages, and the paths that both sides must share |
//! | `line` | the encoding, with limits on length and time |
//! | `socket` | the Unix socket; on Windows the named pipe of `pipe.rs` |
//! | `error` | the errors of connections and requests |
//! | `fuzzing` | the parsers that `tests/fuzz` calls |
//!
//! ```no_run
//! # use std::path::Path;
//! use usher_api::{Request, ServerId, ServerVerb};
//! use usher_ipc::{Client, JoinOptions};
//!
//! # async fn list_tools(state_dir: &Path, runtime_dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::find(state_dir, runtime_dir, JoinOptions::default()).await?;
//! let notion = ServerId("notion".to_owned());
//! let reply = client.ask(Request::server(&notion, ServerVerb::Tools)).await?;
//! println!("{reply:?}");
//! # Ok(())
//! # }
//! ```

mod access;
mod client;
mod clients;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod holder;
mod line;
mod message;
mod mirror;
mod paths;
mod server;
mod session;
#[cfg(unix)]
mod socket;
#[cfg(windows)]
#[path = "pipe.rs"]
mod socket;
mod work;

pub use access::{Access, Updates};
pub use client::{Client, Update};
pub use error::{AskError, ConnectError};
pub use holder::{Holder, HolderKind};
pub use message::{JoinOptions, Servers};
pub use paths::Paths;
pub use server::Server;
