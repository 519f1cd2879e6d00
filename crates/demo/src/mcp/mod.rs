//! The MCP server for the pages. It supports every version of the protocol that rmcp supports.

pub(crate) mod announcements;
pub(crate) mod call;
mod elicitation;
pub(crate) mod notebook;
mod paging;
mod picture;
mod prompts;
mod resources;
mod server;
mod slow_task;
pub(crate) mod sse;
pub(crate) mod sse_sessions;
mod tools;

pub(crate) use server::McpServer;
