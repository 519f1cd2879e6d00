//! The reasons why a tool, resource or prompt of a server cannot be used.

use usher_api::{Code, ErrorView};
use usher_config::display_text;

pub(crate) const TOO_LARGE: &str = "The service describes it with more text than Usher accepts.";
pub(crate) const NO_NAME: &str = "The service gives it no name.";
pub(crate) const NO_ADDRESS: &str = "The service gives it no address.";
pub(crate) const NO_INPUT_SCHEMA: &str = "The service does not describe its arguments.";
pub(crate) const INVALID_INPUT_SCHEMA: &str =
    "The service describes its arguments in a form that MCP does not know.";
pub(crate) const DEEP_INPUT_SCHEMA: &str = "The service describes its arguments with too many levels.";
pub(crate) const INVALID_OUTPUT_SCHEMA: &str =
    "The service describes its result in a form that MCP does not know.";
pub(crate) const INVALID_HEADERS: &str =
    "The service wants its arguments in headers that MCP does not permit.";

/// Describes a call of a tool that cannot be used for this reason.
pub(crate) fn broken_tool(tool: &str, why: &str) -> ErrorView {
    let message = format!("The tool {} cannot be used. {why}", display_text(tool, 60));
    ErrorView::new(Code::ProtocolError, message, "Tell the service's support.")
}
