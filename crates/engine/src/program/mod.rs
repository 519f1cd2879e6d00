//! A local program that is an MCP server: its launch, the person's approval, and the running process.
//!
//! A program is started without a shell, in a session and process group of its own. The group ends with its program,
//! with its connection and with Usher, even if Usher is killed.

pub(crate) mod approvals;
mod environment;
mod guardian;
pub(crate) mod launch;
pub(crate) mod output;
pub(crate) mod process;
mod search_path;

pub(crate) use guardian::Guardian;
pub(crate) use search_path::SearchPath;
