//! A small MCP server of the handshake era whose answers a test chooses.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What it says to a request, if not what a good server would.
type Script = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

pub struct Request {
    pub method: String,
    pub id: Value,
    /// How many `initialize` came before.
    pub handshakes: usize,
}

#[derive(Clone)]
struct Server {
    script: Script,
    seen: Arc<Mutex<Vec<String>>>,
}

pub struct Scripted {
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Serves until the test ends; what the script does not answer is answered as a good server would.
    pub async fn start(script: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> Self {
        let server = Server { script: Arc::new(script), seen: Arc::default() };
        let seen = Arc::clone(&server.seen);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(server);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    /// The methods that came, in their order.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self, method: &str) -> usize {
        self.seen().iter().filter(|seen| *seen == method).count()
    }
}

async fn answer(State(server): State<Server>, http: Method, body: String) -> Response {
    if http != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let message: Value = serde_json::from_str(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    let handshakes = {
        let mut seen = server.seen.lock().unwrap();
        seen.push(method.clone());
        seen.iter().filter(|seen| *seen == "initialize").count()
    };
    let request = Request { method: method.clone(), id: message["id"].clone(), handshakes };
    if let Some(answer) = (server.script)(&request) {
        return answer;
    }
    match method.as_str() {
        "initialize" => {
            let session = format!("session-{handshakes}");
            let result = result(
                &request,
                json!({
                    "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                    "serverInfo": { "name": "scripted", "version": "1" },
                }),
            );
            ([("mcp-session-id", session)], result).into_response()
        }
        "tools/list" => result(
            &request,
            json!({ "tools": [
            { "name": "reader", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true } },
            { "name": "greedy", "inputSchema": { "type": "object" } },
        ] }),
        ),
        "tools/call" => result(&request, json!({ "content": [{ "type": "text", "text": "done" }] })),
        "server/discover" => StatusCode::NOT_FOUND.into_response(),
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

/// A JSON-RPC answer.
pub fn result(request: &Request, result: Value) -> Response {
    Json(json!({ "jsonrpc": "2.0", "id": request.id, "result": result })).into_response()
}

/// Wants more permission for every call, whatever it was given.
pub async fn insatiable() -> Scripted {
    Scripted::start(|request| {
        let challenge = r#"Bearer error="insufficient_scope", scope="more""#;
        (request.method == "tools/call")
            .then(|| (StatusCode::FORBIDDEN, [("www-authenticate", challenge)]).into_response())
    })
    .await
}
