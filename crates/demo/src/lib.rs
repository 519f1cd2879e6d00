//! Usher demo: a small service to try Usher with. It is an authorization server and an MCP server in one.
//!
//! It listens on loopback only, has one account (Ada Lovelace) and a few pages, and is as strict as a service on
//! the internet. The app starts it with "Try the demo", `usher demo` runs it, and tests sign in to it.
//!
//! - `demo`: [`Demo`], the handle to a running demo.
//! - `options`: [`DemoOptions`], the policies and the injected faults.
//! - `service`: the state that the request handlers share.
//! - `routes`, `middleware`: the HTTP paths and the checks on every request.
//! - `oauth`: the authorization server, and the token check of the MCP server.
//! - `mcp`: the MCP server with its tools, resources and prompts.
//! - `request_log`, `epochs`, `clock`: let tests observe and control a demo.
//! - `memory`: helpers for the state that the request handlers share.
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
mod mcp;
mod memory;
mod middleware;
mod oauth;
mod options;
mod request_log;
mod routes;
mod service;

pub use demo::{Demo, StartError};
pub use mcp::announcements::McpList;
pub use options::{DemoOptions, Dpop, Eras, Guard, ListFault, RedirectPolicy, TokenFault, Transport};
pub use request_log::RequestRecord;
