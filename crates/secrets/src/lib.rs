//! Secret stores: the system's keychain, a private file and memory.
//!
//! [`SecretStore::open`] opens the kind of store that the person chose, and never falls back to another kind.
//! Keychain calls and file locks have a deadline. An error never means that a secret does not exist. Only this crate
//! converts tokens to stored bytes.
//!
//! # Layout
//!
//! - `store`: [`SecretStore`], with the grants, pending sign-ins, client secrets and named secrets.
//! - `stored_grant`: one grant.
//! - `store_kind`: the kinds of store; `backend` dispatches to `keychain`, `file` or `memory`.
//! - `keychain`: the keychain store. It runs on `keychain_thread`, and `platform` adapts it to each system.
//! - `split_secret`: secrets that are too long for one keychain item.
//! - `keychain_watch`: reports that the keychain may have been locked, unlocked, started or stopped.
//! - `item`: the names of secrets in a store; `codec` converts secrets to bytes.
//! - [`private_files`]: files and folders that only their owner can access.
//! - `core_dumps`: keeps secrets in memory out of core dumps.
//! - `error`: the errors and their hints.
//!
//! # Example
//!
//! ```
//! use secrecy::{ExposeSecret, SecretString};
//! use usher_secrets::{Error, SecretStore, StoreKind};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     let store = SecretStore::open(StoreKind::Memory);
//!     store.put_named("api-key", &SecretString::from("hunter2")).await?;
//!
//!     let secret = store.named("api-key").await?;
//!     assert_eq!(secret.as_ref().map(|secret| secret.expose_secret()), Some("hunter2"));
//!     assert!(store.named("other").await?.is_none());
//!     Ok(())
//! }
//! ```

mod backend;
mod codec;
mod core_dumps;
mod error;
mod file;
mod item;
mod keychain;
mod keychain_thread;
mod keychain_watch;
mod memory;
mod platform;
pub mod private_files;
mod secret;
mod split_secret;
mod store;
mod store_kind;
mod stored_grant;

pub use core_dumps::forbid_core_dumps;
pub use error::Error;
pub use keychain_watch::watch_keychain;
pub use store::SecretStore;
pub use store_kind::{StoreKind, UnknownStoreKind};
pub use stored_grant::StoredGrant;

/// The service name of all of Usher's keychain items.
pub const SERVICE: &str = "dev.usher.desktop";
