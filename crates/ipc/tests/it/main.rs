//! Two ends of the engine's socket, with a real engine and a demo service behind it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ending;
mod fixture;
mod places;
mod questions;
mod refused;
mod secrets;
mod verbs;
