//! Streamable HTTP below rmcp, with the credentials of one server.

pub(crate) mod adapter;
mod authorized;
mod discover;
mod event_stream;
pub(crate) mod streamable;
