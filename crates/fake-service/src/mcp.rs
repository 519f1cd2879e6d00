//! A small MCP server: handshake, a list of three tools, and tool calls.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::authorization::RESOURCE_METADATA;
use crate::ledger::Access;
use crate::request::Request;
use crate::state::Shared;
use crate::{Moment, Protocol, Reply};

pub(crate) fn respond(shared: &Shared, request: &Request) -> Response {
    if shared.options.requires_authorization {
        // A test that binds tokens to a key checks the proofs itself.
        let schemes = ["Bearer ", "DPoP "];
        let Some(token) = schemes.iter().find_map(|scheme| request.authorization().strip_prefix(scheme))
        else {
            return shared.challenge("");
        };
        let Access::Valid { family, is_first_use } = shared.ledger.use_access_token(token) else {
            return shared.challenge(r#", error="invalid_token""#);
        };
        let is_now = |moment| is_first_use && moment == Moment::TokenUsed;
        if let Some((_, action)) = shared.take_breakpoint(family, is_now) {
            action();
            return Reply::silent().into_response();
        }
    }
    let message = request.json();
    let method = message["method"].as_str().unwrap_or_default();
    if message["id"].is_null() {
        return StatusCode::ACCEPTED.into_response();
    }
    if method == "tools/call" && message["params"]["name"] == "wait" {
        return Reply::silent().into_response();
    }
    let protocol = shared.options.protocol;
    match (method, protocol) {
        ("server/discover", Protocol::Handshake) => StatusCode::NOT_FOUND.into_response(),
        ("server/discover", Protocol::Discovery) => result(
            request,
            json!({
                "resultType": "complete",
                "supportedVersions": ["2026-07-28"],
                "capabilities": { "tools": {} },
                "ttlMs": 0,
                "cacheScope": "private",
                "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "fake", "version": "1" } },
            }),
        ),
        ("initialize", Protocol::Handshake) => {
            let session = format!("session-{}", request.handshakes);
            let accepted = json!({
                "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                "serverInfo": { "name": "fake", "version": "1" },
            });
            ([("mcp-session-id", session)], result(request, accepted)).into_response()
        }
        ("tools/list", _) => result(
            request,
            complete(
                protocol,
                json!({
                    "tools": [tool("read", true), tool("write", false), tool("wait", false)],
                    "ttlMs": 0,
                    "cacheScope": "private",
                }),
            ),
        ),
        ("tools/call", _) => {
            let done = json!({ "content": [{ "type": "text", "text": "done" }] });
            result(request, complete(protocol, done))
        }
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            Reply::json(json!({ "jsonrpc": "2.0", "id": message["id"], "error": error })).into_response()
        }
    }
}

/// Returns a JSON-RPC response with this result.
pub fn result(request: &Request, result: Value) -> Response {
    Reply::json(json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": result })).into_response()
}

/// Marks a result as complete, which the newer protocol requires.
fn complete(protocol: Protocol, mut result: Value) -> Value {
    if protocol == Protocol::Discovery {
        result["resultType"] = json!("complete");
    }
    result
}

fn tool(name: &str, is_read_only: bool) -> Value {
    let annotations = if is_read_only { json!({ "readOnlyHint": true }) } else { json!({}) };
    json!({ "name": name, "inputSchema": { "type": "object" }, "annotations": annotations })
}

impl Shared {
    fn challenge(&self, error: &str) -> Response {
        let challenge = format!("Bearer resource_metadata=\"{}{RESOURCE_METADATA}\"{error}", self.origin);
        Reply::text(401, "").with("www-authenticate", &challenge).into_response()
    }
}
