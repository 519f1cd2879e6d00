//! The engine through its public door, against the demo service on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod changes;
mod config;
mod fixture;
mod gated_service;
mod invariants;
mod kept_sign_in;
mod lifecycle;
mod live_connection;
mod odd_servers;
mod pause;
mod permission;
mod questions;
mod races;
mod redirects;
mod refresh;
mod renewal_ahead;
mod renewal_crash;
mod scripted;
mod secret_store;
mod sign_in;
