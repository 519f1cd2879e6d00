//! The engine through its public door, against the demo service on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod config;
mod fixture;
mod invariants;
mod kept_sign_in;
mod lifecycle;
mod odd_servers;
mod races;
mod redirects;
mod refresh;
mod sign_in;
