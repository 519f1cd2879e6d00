//! The local socket by which other processes of the same person reach the one engine.
//!
//! Whoever holds the engine starts a [`Server`] beside it; everybody else is its [`Client`]. Both speak the engine's
//! verbs as [`Request`]s and [`Reply`]s, JSON by the line. No secret crosses: requests have no place for one.

mod client;
mod connection;
mod error;
mod line;
mod message;
mod mirror;
mod server;
#[cfg(unix)]
#[path = "socket.rs"]
mod socket;
#[cfg(windows)]
#[path = "pipe.rs"]
mod socket;
mod work;

pub use client::{Client, Update};
pub use error::{AskError, ConnectError};
pub use message::{HolderKind, Opening, Places, Servers};
pub use server::{Holder, Server};
