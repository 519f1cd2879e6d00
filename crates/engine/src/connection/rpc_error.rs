//! A JSON-RPC error, as the server sent it.

use serde_json::Value;

/// The error of a JSON-RPC response. Its texts are the server's, and not sanitised.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the server returned error {code}: {message}")]
pub struct RpcError {
    pub code: i32,
    pub message: String,
    pub data: Option<Value>,
}
