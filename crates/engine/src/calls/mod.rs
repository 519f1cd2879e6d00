//! Tool calls, from the caller's point of view.

mod refused_result;
pub(crate) mod running;
pub(crate) mod tool_call;
