//! Streamable HTTP and HTTP+SSE below rmcp, with the credentials of one server.

pub(crate) mod adapter;
pub(crate) mod authorized;
mod cookies;
mod discover;
mod endpoint_client;
pub(crate) mod event_stream;
pub(crate) mod sse;
pub(crate) mod streamable;
