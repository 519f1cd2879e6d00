//! The steps of a sign-in through the public door, against servers on loopback.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect has failed")]

mod internet;
mod support;

mod authorization;
mod callback;
mod challenge;
mod endpoints;
mod errors;
mod fallback;
mod flow;
mod limits;
mod reach;
mod refresh;
mod registration;
mod resource_metadata;
mod revocation;
mod secrets;
mod server_metadata;
mod token;
