//! Calls, from the caller's point of view.

pub(crate) mod call;
mod refused_result;
pub(crate) mod running;
