//! Services as they are in the wild: each row of these tables is a deviation that was seen at a real service.
//!
//! A row changes a [`FakeService`](usher_fake_service::FakeService) and states what Usher must do with it. To add one,
//! find the table of its kind: `sign_in` for discovery, registration, authorization and code exchange, `refresh` for
//! refreshes, `connection` for MCP connections, `calls` for tool calls, `results` for lists and results, `settings`
//! and `secret_origins` for changes of `mcp.json`.

mod calls;
mod connection;
mod foreign_endpoints;
mod gateway;
mod optional_sign_in;
mod person;
mod prompt;
mod refresh;
mod results;
mod second_sign_in;
mod secret_origins;
mod settings;
mod sign_in;
