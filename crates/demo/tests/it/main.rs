//! The demo through its public door: over HTTP, as clients and browsers meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authorization;
mod browser;
mod lifecycle;
mod mcp;
mod metadata;
mod registration;
mod resource;
mod tokens;
