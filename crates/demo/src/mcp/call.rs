//! Parses a JSON-RPC message to find its required scope.

use axum::Json;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::oauth::scopes::Scope;

/// A message to the MCP server.
pub(crate) struct McpCall {
    /// The JSON-RPC method, if the message has one.
    pub(crate) method: Option<String>,
    /// The tool that `tools/call` names.
    tool: Option<String>,
    id: Value,
    /// The message for the MCP server. It is serialized again, so that the MCP server cannot read another value of a
    /// duplicate key.
    pub(crate) body: Bytes,
}

impl McpCall {
    pub(crate) fn parse(body: Bytes) -> McpCall {
        let Ok(message) = serde_json::from_slice::<Value>(&body) else {
            return McpCall { method: None, tool: None, id: Value::Null, body };
        };
        let text = |value: &Value| value.as_str().map(|text| text.chars().take(100).collect::<String>());
        McpCall {
            method: text(&message["method"]),
            tool: text(&message["params"]["name"]),
            id: message["id"].clone(),
            body: message.to_string().into(),
        }
    }

    pub(crate) fn is_tool_call(&self) -> bool {
        self.method.as_deref() == Some("tools/call")
    }

    /// Returns the response of a service that reports missing authorization only in the text of a result.
    pub(crate) fn unauthorized_in_result(&self) -> Response {
        let text = "HTTP 401 Unauthorized: the request had invalid authentication credentials.";
        let content = json!([{ "type": "text", "text": text }]);
        let result = json!({ "resultType": "complete", "content": content, "isError": true });
        Json(json!({ "jsonrpc": "2.0", "id": self.id, "result": result })).into_response()
    }

    /// Returns the scope that this call requires, if any.
    pub(crate) fn required_scope(&self) -> Option<Scope> {
        match (self.method.as_deref(), self.tool.as_deref()) {
            (Some("tools/call"), Some("create_page")) => Some(Scope::NotesWrite),
            (Some("tools/call"), Some("search_pages" | "read_page")) => Some(Scope::NotesRead),
            (Some("resources/read" | "prompts/get"), _) => Some(Scope::NotesRead),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_key_is_passed_on_once() {
        let body =
            r#"{"method":"tools/call","params":{"name":"create_page"},"params":{"name":"draw_picture"}}"#;
        let call = McpCall::parse(Bytes::from_static(body.as_bytes()));
        assert_eq!(call.required_scope(), None);
        assert_eq!(call.body, r#"{"method":"tools/call","params":{"name":"draw_picture"}}"#);
    }

    #[test]
    fn writing_and_reading_require_different_scopes() {
        let scope = |text: &'static str| McpCall::parse(Bytes::from_static(text.as_bytes())).required_scope();
        assert_eq!(
            scope(r#"{"method":"tools/call","params":{"name":"create_page"}}"#),
            Some(Scope::NotesWrite)
        );
        assert_eq!(scope(r#"{"method":"tools/call","params":{"name":"read_page"}}"#), Some(Scope::NotesRead));
        assert_eq!(scope(r#"{"method":"resources/read"}"#), Some(Scope::NotesRead));
        assert_eq!(scope(r#"{"method":"tools/list"}"#), None);
        assert_eq!(scope("not JSON"), None);
    }
}
