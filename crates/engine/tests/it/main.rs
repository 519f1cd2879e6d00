//! The engine through its public API, against the demo service or a fake service on loopback.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod automatic_refresh;
mod calls;
mod client_credentials;
mod config;
mod config_text;
mod connection;
mod device;
mod dpop;
mod elicitation;
mod entries;
mod fixture;
mod granted_service;
mod interrupted_refresh;
mod invariants;
mod leak_search;
mod leaked_keys;
mod leaks;
mod lifecycle;
mod limits;
mod list_changes;
mod named_secrets;
mod pause;
mod probe;
mod races;
mod redirects;
mod refresh;
mod restart;
mod secret_origins;
mod secret_store;
mod server_quirks;
mod sign_in;
mod sign_out;
mod sse;
mod step_up;
mod withdrawn_secrets;
