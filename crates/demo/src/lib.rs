//! A small real service: authorization server and MCP server in one.
//!
//! It listens on loopback only, knows one person (Ada Lovelace) and one notebook, and behaves to a client as a strict
//! service on the internet does. The app offers it as "Try the demo", `usher demo` runs it, and tests sign in to it.
//!
//! ```no_run
//! # async fn example() -> Result<(), usher_demo::StartError> {
//! let demo = usher_demo::Demo::start(usher_demo::DemoOptions::default()).await?;
//! println!("{}", demo.url());
//! demo.stop().await;
//! # Ok(())
//! # }
//! ```

mod clock;
mod demo;
mod epochs;
mod faults;
mod guard;
mod mcp;
mod oauth;
mod options;
mod requests;
mod routes;
mod service;

pub use demo::{Demo, StartError};
pub use mcp::announcements::McpList;
pub use options::{ClientPolicy, DemoOptions, Eras, Guard, ListFault, RedirectPolicy, TokenFault};
pub use requests::RequestRecord;
