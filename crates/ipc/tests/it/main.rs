//! Tests of both sides of the socket, with a real engine and a demo service.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod access;
mod ending;
mod fixture;
mod questions;
mod refused;
mod runtime_dir;
mod secrets;
mod verbs;
