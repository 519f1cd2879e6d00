//! A scriptable authorization server and MCP server for tests.
//!
//! A [`FakeService`] listens on loopback and behaves like a strict service: one-time codes with PKCE, rotating refresh
//! tokens, and a [`Ledger`] of every token family. A test can script the replies of an endpoint, plan faults of the
//! token endpoint, and break a connection after any byte. This crate depends on no other crate of the workspace.
//!
//! - `service`, `script`: [`FakeService`], the interface for tests
//! - `state`: the state that the endpoints share
//! - `options`: lifetimes of tokens, the protocol, whether authorization is required
//! - `request`: the requests that were recorded
//! - `reply`: replies that a test scripts
//! - `routes`: dispatch of a request to a scripted reply or to its endpoint
//! - `authorization`: metadata, client registration and the authorization endpoint
//! - `clients`: the registered clients and their codes
//! - `token_endpoint`: code exchange and refresh
//! - `token_fault`: the planned faults of a refresh, and the moments at which a test can act
//! - `token_gate`: replies of the token endpoint that wait for the test
//! - `ledger`: every token family, with its refreshes and their outcomes
//! - `mcp`: a small MCP server
//! - `http_client`: the HTTP client of tests
//! - `lock`: a lock that ignores poisoning
//! - `wire`: connections that break off after any byte
//!
//! ```
//! use usher_fake_service::{FakeService, Options, Reply};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let service = FakeService::start(Options::default()).await?;
//! service.on("POST /register", Reply::rejected_registration());
//! assert!(service.url().ends_with("/mcp"));
//! assert!(service.requests_to("POST /register").is_empty());
//! # Ok(())
//! # }
//! ```

mod authorization;
mod clients;
mod http_client;
mod ledger;
mod lock;
mod mcp;
mod options;
mod reply;
mod request;
mod routes;
mod script;
mod service;
mod state;
mod token_endpoint;
mod token_fault;
mod token_gate;
mod wire;

pub use authorization::merged;
pub use http_client::http_client;
pub use ledger::{Activity, FamilyId, FamilyState, IssuedTokens, Ledger, Outcome, Refresh, Rejection};
pub use mcp::result;
pub use options::{Options, Protocol};
pub use reply::Reply;
pub use request::Request;
pub use service::FakeService;
pub use token_fault::{BadResponse, Moment, TokenFault};
pub use wire::Action;
