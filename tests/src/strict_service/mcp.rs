//! As much of an MCP server (2026-07-28) as a connection needs: it is discovered, lists two tools, and answers one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ledger::Access;
use super::{Moment, Shared};

pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(message): Json<Value>,
) -> Response {
    let token =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(token) = token else { return shared.challenge("") };
    match shared.ledger.use_access_token(token) {
        Access::Good { family, is_first_use } => {
            let is_now = |moment| is_first_use && moment == Moment::TokenUsed;
            if let Some((_, strike)) = shared.take_trap(family, is_now) {
                strike();
                return std::future::pending().await;
            }
        }
        Access::Stale => return shared.challenge(", error=\"invalid_token\""),
    }
    let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
    match result_of(&message).await {
        Some(result) => Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })),
        None => Json(json!({
            "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "Method not found" },
        })),
    }
    .into_response()
}

async fn result_of(message: &Value) -> Option<Value> {
    match message["method"].as_str()? {
        "server/discover" => Some(json!({
            "resultType": "complete",
            "supportedVersions": ["2026-07-28"],
            "capabilities": { "tools": {} },
            "ttlMs": 0,
            "cacheScope": "private",
            "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "strict", "version": "1" } },
        })),
        "tools/list" => {
            let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
            Some(json!({
                "resultType": "complete",
                "tools": [tool("ping"), tool("wait")],
                "ttlMs": 0,
                "cacheScope": "private",
            }))
        }
        "tools/call" if message["params"]["name"] == "wait" => std::future::pending().await,
        "tools/call" => Some(json!({
            "resultType": "complete",
            "content": [{ "type": "text", "text": "pong" }],
        })),
        _ => None,
    }
}

impl Shared {
    fn challenge(&self, error: &str) -> Response {
        let origin = &self.origin;
        let challenge =
            format!("Bearer resource_metadata=\"{origin}/.well-known/oauth-protected-resource/mcp\"{error}");
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}
