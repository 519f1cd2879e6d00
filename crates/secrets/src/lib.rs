//! The OS keychain and its explicit stand-ins: the only room where a secret becomes bytes.
//!
//! [`SecretStore::open`] takes the kind that the person chose and never falls back to another. Every call
//! answers within a deadline; an error never means "there is nothing".

mod backend;
mod codec;
mod error;
mod file;
mod grant;
mod item;
mod keychain;
mod keychain_thread;
mod kind;
mod memory;
mod parts;
mod platform;
pub mod private;
mod store;
mod watch;

pub use error::Error;
pub use grant::StoredGrant;
pub use kind::{StoreKind, UnknownStoreKind};
pub use store::SecretStore;
pub use watch::watch_keychain;

/// The keychain's service name for every item of ours.
pub const SERVICE: &str = "dev.usher.desktop";
