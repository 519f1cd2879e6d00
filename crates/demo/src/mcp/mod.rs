//! The MCP server: a few pages, in every version of the protocol that rmcp supports.

pub(crate) mod announcements;
pub(crate) mod call;
mod elicitation;
pub(crate) mod notebook;
mod paging;
mod picture;
mod prompts;
mod resources;
mod server;
mod sessions;
mod slow_task;
mod tools;

pub(crate) use server::McpServer;
pub(crate) use sessions::limit_sessions;
