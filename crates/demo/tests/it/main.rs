//! Tests of the demo over HTTP, as clients and browsers use it.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod authorization;
mod browser;
mod device;
mod dpop;
mod lifecycle;
mod mcp;
mod metadata;
mod registration;
mod resource;
mod tokens;
