//! Tests of the sign-in steps through the public API, against fake servers on loopback.

#![expect(clippy::unwrap_used, reason = "an unexpected error fails the test")]

mod internet;
mod support;

mod assertion_grants;
mod authorization;
mod callback;
mod challenge;
mod client_credentials;
mod device;
mod dpop;
mod endpoints;
mod errors;
mod fallback;
mod flow;
mod foreign_endpoints;
mod limits;
mod network_zone;
mod refresh;
mod registration;
mod resource_metadata;
mod revocation;
mod secrets;
mod server_metadata;
mod token;
mod token_request;
