//! The parts of a sign-in: discovery and registration, the redirect, the callback, the code for another device, the exchange,
//! the revocation.

pub(crate) mod callback;
pub(crate) mod device;
pub(crate) mod exchange;
pub(crate) mod loopback;
pub(crate) mod persisted;
pub(crate) mod prepare;
pub(crate) mod redirect_ladder;
pub(crate) mod revoke;
