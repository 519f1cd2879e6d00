//! The authorization server: OAuth 2.1 for one account and one protected resource.

pub(crate) mod access;
pub(crate) mod authorization_request;
pub(crate) mod authorize;
pub(crate) mod client;
mod client_authentication;
pub(crate) mod codes;
pub(crate) mod consent;
mod consent_page;
pub(crate) mod device;
pub(crate) mod device_codes;
mod device_page;
pub(crate) mod dpop;
mod error;
pub(crate) mod families;
mod grant;
pub(crate) mod metadata;
mod page;
mod parameters;
pub(crate) mod pending_consents;
mod person;
mod redirect;
pub(crate) mod registration;
pub(crate) mod revocation;
pub(crate) mod scopes;
pub(crate) mod signing;
pub(crate) mod token;
pub(crate) mod used_proofs;
