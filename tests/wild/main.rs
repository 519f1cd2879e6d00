//! Services as they are in the wild: each row of these tables is a deviation that was seen at a real service.
//!
//! A row changes a [`FakeService`](usher_fake_service::FakeService) and states what Usher must do with it. To add one,
//! find the table of its kind: `sign_in` for discovery, registration, authorization and code exchange, `refresh` for
//! refreshes, `connection` for MCP connections, `calls` for tool calls, `results` for lists and results, `settings`
//! and `secret_origins` for changes to `mcp.json`, `optional_sign_in` for servers of which only the calls need a token,
//! `gateway` for load balancers and proxies in front of a server. `callback`, `request_headers`, `prompt`,
//! `foreign_endpoints`, `second_sign_in` and `orphans` cover the parts of a sign-in after which they are named.

mod callback;
mod calls;
mod connection;
mod foreign_endpoints;
mod gateway;
mod optional_sign_in;
mod orphans;
mod person;
mod prompt;
mod refresh;
mod request_headers;
mod results;
mod second_sign_in;
mod secret_origins;
mod settings;
mod sign_in;
