//! Deviations in the MCP connection.

use anyhow::{Context, Result, ensure};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use usher_api::{Status, ToolContent};
use usher_engine::CallOptions;
use usher_fake_service::{FakeService, Options, Protocol, Reply, Request, result};

use crate::person::{Person, id, service_with};

/// A server that Usher can connect to.
struct Row {
    name: &'static str,
    options: fn() -> Options,
    change: fn(&FakeService),
    /// The number of tools that it offers.
    tools: u32,
}

const fn row(name: &'static str, options: fn() -> Options, change: fn(&FakeService)) -> Row {
    Row { name, options, change, tools: 3 }
}

/// A server with `initialize` that asks for a token.
fn handshake() -> Options {
    Options { protocol: Protocol::Handshake, ..Options::default() }
}

const OPEN: fn() -> Options = Options::open_handshake;

const ROWS: [Row; 24] = [
    row("server/discover gets 403", OPEN, |service| refuse_discovery(service, Reply::text(403, "Forbidden"))),
    row("server/discover gets 403 with JSON", OPEN, |service| {
        refuse_discovery(service, Reply::json_with(403, json!({ "message": "unknown operation" })));
    }),
    row("server/discover gets 401 without a challenge", OPEN, |service| {
        refuse_discovery(service, Reply::text(401, ""));
    }),
    row("server/discover gets 401 although the token is good", handshake, |service| {
        refuse_discovery_with_token(service, Reply::text(401, ""));
    }),
    row("server/discover gets 401 with a challenge although the token is good", handshake, |service| {
        let challenge = "Bearer error=\"invalid_token\"";
        refuse_discovery_with_token(service, Reply::text(401, "").with("www-authenticate", challenge));
    }),
    row("server/discover gets 403 although the token is good", handshake, |service| {
        refuse_discovery_with_token(service, Reply::text(403, ""));
    }),
    row("server/discover gets 405", OPEN, |service| refuse_discovery(service, Reply::text(405, ""))),
    row("server/discover gets a page", OPEN, |service| refuse_discovery(service, Reply::html_page(200))),
    row("initialize with the newest revision gets 400 with a list", OPEN, |service| {
        accept_revisions(service, &["2025-06-18"], |named| {
            let message = format!("Bad Request: Unsupported protocol version (supported versions: {named})");
            Reply::json_with(
                400,
                json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32000, "message": message } }),
            )
        });
    }),
    row("initialize with the newest revision gets 400 with the oldest", OPEN, |service| {
        accept_revisions(service, &["2025-03-26"], |named| {
            Reply::json_with(
                400,
                json!({
                    "jsonrpc": "2.0", "id": 1, "error": { "code": -32602, "message": format!("protocol version must be {named}") },
                }),
            )
        });
    }),
    row("initialize with the newest revision gets 400 without a reason", OPEN, |service| {
        accept_revisions(service, &["2025-03-26"], |_| Reply::text(400, "Bad Request"));
    }),
    row("an event has unknown fields, a field without a colon and comments", OPEN, |service| {
        list_as_stream(service, |list| {
            format!(": hello\nfoo: bar\nnonsense\nevent: message\ndata: {list}\n\n")
        });
    }),
    row("a stream ends without an empty line", OPEN, |service| {
        list_as_stream(service, |list| format!("data: {list}"));
    }),
    row("a stream has carriage returns only", OPEN, |service| {
        list_as_stream(service, |list| format!("id: 1\rdata: {list}\r\r"));
    }),
    row("every page names an empty cursor", OPEN, |service| list_with_cursor(service, |_| json!(""))),
    row("every page names the same cursor", OPEN, |service| list_with_cursor(service, |_| json!("next"))),
    row("every page names a new cursor and repeats the tools", OPEN, |service| {
        list_with_cursor(service, |request| format!("{}x", request.json()["params"]["cursor"]).into());
    }),
    Row {
        name: "an empty cursor leads to a second page",
        options: OPEN,
        change: |service| {
            service.intercept(|request| {
                let cursor = &request.json()["params"]["cursor"];
                let (name, next) = if cursor.is_null() { ("one", json!("")) } else { ("two", Value::Null) };
                let list = json!({ "tools": [tool(name)], "nextCursor": next });
                (request.rpc_method() == "tools/list")
                    .then(|| result(request, usher_fake_service::merged(list, json!({}))))
            });
        },
        tools: 2,
    },
    row("a notification is answered with an error", OPEN, |service| {
        service.intercept(|request| {
            let is_notification = request.rpc_method().starts_with("notifications/");
            is_notification.then(|| Reply::json_with(200, json!({ "ok": true })).into_response())
        });
    }),
    row("a notification gets 200 with a page", OPEN, |service| {
        service.intercept(|request| {
            let is_notification = request.rpc_method().starts_with("notifications/");
            is_notification.then(|| Reply::html_page(200).into_response())
        });
    }),
    row("the response has a byte order mark", OPEN, |service| {
        service.intercept(|request| {
            let body = format!("\u{FEFF}{}", list_message(request));
            (request.rpc_method() == "tools/list")
                .then(|| Reply::new(200, "application/json", body).into_response())
        });
    }),
    row("an error of null is beside the result", OPEN, |service| {
        service.intercept(|request| {
            // Usher reads lists itself, and leaves other responses to a library, which rejects the error of null.
            let accepted = json!({
                "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                "serverInfo": { "name": "fake", "version": "1" },
            });
            let message = match request.rpc_method().as_str() {
                "initialize" => json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": accepted }),
                "tools/list" => list_message(request),
                _ => return None,
            };
            let body = message.to_string().replacen('{', "{\"error\":null,", 1);
            Some(Reply::new(200, "application/json", body).into_response())
        });
    }),
    row("the response is an array with one message", OPEN, |service| {
        service.intercept(|request| {
            let body = Value::Array(vec![list_message(request)]);
            (request.rpc_method() == "tools/list").then(|| Reply::json(body).into_response())
        });
    }),
    row("the response has no content type", OPEN, |service| {
        service.intercept(|request| {
            let body = list_message(request).to_string();
            (request.rpc_method() == "tools/list")
                .then(|| Reply::new(200, "text/plain", body).into_response())
        });
    }),
];

#[tokio::test]
async fn usher_connects_to_each_server() -> Result<()> {
    for row in ROWS {
        connect(&row).await.with_context(|| row.name)?;
    }
    Ok(())
}

async fn connect(row: &Row) -> Result<()> {
    let service = service_with((row.options)()).await?;
    (row.change)(&service);
    let person = Person::new(service).await?;
    let is_settled = |status: &Status| {
        matches!(status, Status::Connected { .. } | Status::NeedsSignIn { .. } | Status::Failed { .. })
    };
    let view = person.until(|view| is_settled(&view.status)).await?;
    if matches!(view.status, Status::NeedsSignIn { .. }) {
        person.sign_in().await?;
    }
    let view = person.until_connected().await?;
    let Status::Connected { tool_count, .. } = view.status else { anyhow::bail!("not connected") };
    ensure!(tool_count == row.tools, "{tool_count} tools");
    person.engine.stop().await;
    Ok(())
}

/// A revision that the server rejected is not tried again.
#[tokio::test]
async fn an_older_revision_is_remembered() -> Result<()> {
    let service = service_with(OPEN()).await?;
    accept_revisions(&service, &["2025-03-26"], |_| Reply::text(400, "Bad Request"));
    let person = Person::new(service).await?;
    person.until_connected().await?;
    ensure!(person.service.rpc_count("initialize") == 3);
    person.service.forget_requests();
    person.reconnect().await?;
    ensure!(person.service.rpc_count("initialize") == 1);
    person.engine.stop().await;
    Ok(())
}

/// A session that the server forgot, told as a 401 by a server that asks for no sign-in.
#[tokio::test]
async fn a_bare_401_for_a_session_begins_a_new_one() -> Result<()> {
    let service = service_with(OPEN()).await?;
    let person = Person::new(service).await?;
    person.until_connected().await?;
    person.service.intercept(|request| {
        let has_forgotten =
            request.headers.get("mcp-session-id").is_some_and(|session| session == "session-1");
        has_forgotten.then(|| Reply::text(401, "").into_response())
    });
    let called = person.engine.call_tool(&id(), "read", Map::new(), CallOptions::new("call")).await?;
    ensure!(matches!(&called.content[..], [ToolContent::Text { text }] if text == "done"), "{called:?}");
    ensure!(person.service.rpc_count("initialize") == 2);
    person.engine.stop().await;
    Ok(())
}

/// The session was never accepted without a token, so the 401 asks for a sign-in.
#[tokio::test]
async fn a_bare_401_for_the_first_list_asks_for_a_sign_in() -> Result<()> {
    let service = service_with(OPEN()).await?;
    service.intercept(|request| {
        (request.rpc_method() == "tools/list").then(|| Reply::text(401, "").into_response())
    });
    let person = Person::new(service).await?;
    person.until(|view| matches!(view.status, Status::NeedsSignIn { .. })).await?;
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_server_that_drops_a_remembered_revision_gets_a_newer_one() -> Result<()> {
    let service = service_with(OPEN()).await?;
    accept_revisions(&service, &["2025-03-26"], |_| Reply::text(400, "Bad Request"));
    let person = Person::new(service).await?;
    person.until_connected().await?;
    accept_revisions(&person.service, &["2025-06-18"], |_| Reply::text(400, "Bad Request"));
    person.reconnect().await?;
    person.engine.stop().await;
    Ok(())
}

fn refuse_discovery(service: &FakeService, reply: Reply) {
    service.intercept(move |request| {
        (request.rpc_method() == "server/discover").then(|| reply.clone().into_response())
    });
}

/// Without a token, the server sends its challenge.
fn refuse_discovery_with_token(service: &FakeService, reply: Reply) {
    service.intercept(move |request| {
        let is_refused = request.rpc_method() == "server/discover" && !request.authorization().is_empty();
        is_refused.then(|| reply.clone().into_response())
    });
}

/// Accepts `initialize` only with these revisions.
fn accept_revisions(service: &FakeService, revisions: &'static [&'static str], rejection: fn(&str) -> Reply) {
    service.intercept(move |request| {
        let wanted = request.json()["params"]["protocolVersion"].as_str().unwrap_or_default().to_owned();
        if request.rpc_method() != "initialize" {
            return None;
        }
        if !revisions.contains(&wanted.as_str()) {
            return Some(rejection(&revisions.join(", ")).into_response());
        }
        Some(result(request, json!({
            "protocolVersion": wanted, "capabilities": { "tools": {} }, "serverInfo": { "name": "old", "version": "1" },
        })))
    });
}

fn list_message(request: &Request) -> Value {
    let tools = ["one", "two", "three"].map(tool);
    json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": { "tools": tools } })
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}

fn list_as_stream(service: &FakeService, body: fn(&Value) -> String) {
    service.intercept(move |request| {
        let stream = || Reply::new(200, "text/event-stream", body(&list_message(request)));
        (request.rpc_method() == "tools/list").then(|| stream().into_response())
    });
}

/// Every page has the same three tools, and names a next page.
fn list_with_cursor(service: &FakeService, cursor: fn(&Request) -> Value) {
    service.intercept(move |request| {
        let list = || -> Response {
            let mut message = list_message(request);
            message["result"]["nextCursor"] = cursor(request);
            Reply::json(message).into_response()
        };
        (request.rpc_method() == "tools/list").then(list)
    });
}
