//! Servers that try to use up memory or time.

use std::io::Write;
use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use usher_budgets as budgets;
use usher_fake_service::{FakeService, Options, Reply, Request};

const MIB: usize = 1024 * 1024;

/// A hostile server, and the command that makes Usher use it.
pub struct HostileServer {
    pub name: &'static str,
    /// The method or the start of the line of the requests that get a hostile response.
    attacked: &'static str,
    pub change: fn(&FakeService),
    pub command: &'static [&'static str],
}

impl HostileServer {
    /// The number of requests that got a hostile response.
    pub fn attacks(&self, service: &FakeService) -> usize {
        let is_it = |request: &Request| {
            request.rpc_method() == self.attacked || request.line.starts_with(self.attacked)
        };
        service.requests().into_iter().filter(is_it).count()
    }
}

const CALL: &[&str] = &["call", "hostile", "read"];
const LOGIN: &[&str] = &["login", "hostile", "--no-browser"];

const fn calling(name: &'static str, attacked: &'static str, change: fn(&FakeService)) -> HostileServer {
    HostileServer { name, attacked, change, command: CALL }
}

const fn signing_in(name: &'static str, attacked: &'static str, change: fn(&FakeService)) -> HostileServer {
    HostileServer { name, attacked, change, command: LOGIN }
}

pub const SERVERS: [HostileServer; 23] = [
    calling("200 pages of 16 MiB", "tools/list", |service| {
        on(service, "tools/list", |request| {
            page(request, &[tool("read", &"x".repeat(15 * MIB))], &request.json()["params"]["cursor"])
        });
    }),
    calling("a page with 12 MB of the smallest items", "tools/list", |service| {
        on(service, "tools/list", |request| text_reply(request, r#""tools":["#, "{},", 4 * MIB, "{}]"));
    }),
    calling("pages with 20,000 tools", "tools/list", |service| {
        on(service, "tools/list", |request| {
            page(request, &vec![tool("read", "x"); 20_000], &request.json()["params"]["cursor"])
        });
    }),
    calling("a list of the largest number of tools", "tools/list", |service| {
        on(service, "tools/list", |request| {
            let start = request.json()["params"]["cursor"].as_str().map_or(0, str::len);
            let tools: Vec<Value> =
                (0..1000).map(|number| tool(&format!("tool_{start}_{number}"), &"x".repeat(90))).collect();
            if 1000 * (start + 1) < budgets::LIST_ITEMS {
                page(request, &tools, &request.json()["params"]["cursor"])
            } else {
                Reply::json(
                    json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": { "tools": tools } }),
                )
                .into_response()
            }
        });
    }),
    calling("a result with 12 MB of the smallest values", "tools/call", |service| {
        on(service, "tools/call", |request| {
            text_reply(request, r#""content":[],"structuredContent":{"a":["#, "0,", 6 * MIB, "0]}")
        });
    }),
    calling("a result with deep nesting", "tools/call", |service| {
        on(service, "tools/call", |request| {
            text_reply(request, r#""content":[],"structuredContent":"#, "[", 8 * MIB, "")
        });
    }),
    calling("an event with deep nesting", "tools/call", |service| {
        on(service, "tools/call", |_| {
            Reply::new(200, "text/event-stream", format!("data: {}\n\n", "{\"a\":".repeat(MIB)))
                .into_response()
        });
    }),
    calling("questions without end during a call", "tools/call", |service| {
        on(service, "tools/call", |_| endless_events(|number| question(&json!(number))));
    }),
    calling("questions with ids of 64 KiB during a call", "tools/call", |service| {
        on(service, "tools/call", |_| {
            endless_events(|number| question(&json!(format!("{number}{}", "x".repeat(64 * 1024)))))
        });
    }),
    calling("questions without end on the stream of the session", "GET /mcp", |service| {
        on_stream(service, || endless_events(|number| question(&json!(number))));
    }),
    calling("pings without end", "tools/call", |service| {
        on(service, "tools/call", |_| {
            endless_events(|number| json!({ "jsonrpc": "2.0", "id": number, "method": "ping" }))
        });
    }),
    calling("requests of an unknown kind without end", "GET /mcp", |service| {
        on_stream(service, || {
            endless_events(|number| json!({ "jsonrpc": "2.0", "id": number, "method": "unknown/thing" }))
        });
    }),
    calling("progress without end", "tools/call", |service| {
        on(service, "tools/call", |request| {
            let token = request.json()["params"]["_meta"]["progressToken"].clone();
            endless_events(move |number| {
                notification("notifications/progress", json!({ "progressToken": token, "progress": number }))
            })
        });
    }),
    calling("changed lists without end", "GET /mcp", |service| {
        on_stream(service, || {
            endless_events(|_| notification("notifications/tools/list_changed", json!({})))
        });
    }),
    calling("log messages of 1 MiB without end", "GET /mcp", |service| {
        on_stream(service, || {
            let text = "x".repeat(MIB);
            endless_events(move |_| {
                notification("notifications/message", json!({ "level": "info", "data": text }))
            })
        });
    }),
    calling("an event without a line end", "tools/call", |service| {
        on(service, "tools/call", |_| endless("text/event-stream", "data: ", "x"));
    }),
    calling("comments without end", "tools/call", |service| {
        on(service, "tools/call", |_| endless("text/event-stream", "", ": comment\n"));
    }),
    calling("a JSON response without an end", "tools/call", |service| {
        on(service, "tools/call", |_| endless("application/json", "{", " "));
    }),
    calling("a stream that ends at once, with retry: 0", "GET /mcp", |service| {
        service.on("GET /mcp", Reply::new(200, "text/event-stream", "retry: 0\n\n"));
    }),
    calling("a compressed response of 256 MiB", "tools/call", |service| {
        on(service, "tools/call", |_| bomb("application/json"));
    }),
    calling("a challenge with 80,000 scopes", "POST /mcp", |service| {
        service.intercept(|request| {
            let challenge = format!("Bearer scope=\"{}\"", scopes(80_000).join(" "));
            (request.path == "/mcp")
                .then(|| Reply::text(401, "").with("www-authenticate", &challenge).into_response())
        });
    }),
    signing_in("metadata with 90,000 scopes", "GET /.well-known/oauth-protected-resource/mcp", |service| {
        require_sign_in(service);
        service.change_server_metadata(json!({ "scopes_supported": scopes(90_000) }));
        let resource = json!({
            "resource": service.url(), "authorization_servers": [service.origin], "scopes_supported": scopes(90_000),
        });
        service.on("GET /.well-known/oauth-protected-resource/mcp", Reply::json(resource));
    }),
    signing_in("a registration with a secret of 1 MiB", "POST /register", |service| {
        require_sign_in(service);
        let client = json!({ "client_id": "c", "client_secret": "x".repeat(MIB - 100) });
        service.on("POST /register", Reply::json_with(201, client));
    }),
];

/// The options of the hostile servers. They require no sign-in, unless their `change` does.
pub fn options() -> Options {
    Options::open_handshake()
}

fn on(service: &FakeService, method: &'static str, respond: fn(&Request) -> Response) {
    service.intercept(move |request| (request.rpc_method() == method).then(|| respond(request)));
}

/// Responds to the request for the stream of the session.
fn on_stream(service: &FakeService, respond: fn() -> Response) {
    service.intercept(move |request| request.line.starts_with("GET /mcp").then(respond));
}

fn require_sign_in(service: &FakeService) {
    let challenge =
        format!("Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", service.origin);
    service.intercept(move |request| {
        (request.path == "/mcp")
            .then(|| Reply::text(401, "").with("www-authenticate", &challenge).into_response())
    });
}

fn tool(name: &str, description: &str) -> Value {
    json!({ "name": name, "description": description, "inputSchema": { "type": "object" } })
}

/// A page of a list that names a new next page.
fn page(request: &Request, tools: &[Value], cursor: &Value) -> Response {
    let next = format!("{}x", cursor.as_str().unwrap_or_default());
    let result = json!({ "tools": tools, "nextCursor": next });
    Reply::json(json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": result })).into_response()
}

/// A response whose result repeats a text.
fn text_reply(request: &Request, before: &str, repeated: &str, count: usize, after: &str) -> Response {
    let id = &request.json()["id"];
    let (repeated, start) =
        (repeated.repeat(count), format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{before}"));
    Reply::new(200, "application/json", [&start, &repeated, after, "}}"].concat()).into_response()
}

fn question(id: &Value) -> Value {
    let params = json!({ "message": "?", "requestedSchema": { "type": "object", "properties": {} } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": params })
}

fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn endless_events(message: impl Fn(u64) -> Value + Send + 'static) -> Response {
    let events = stream::iter(0..).map(move |number| format!("data: {}\n\n", message(number)));
    streamed("text/event-stream", events)
}

/// A body that repeats a text of one or more bytes, in chunks of 64 KiB.
fn endless(kind: &'static str, start: &'static str, repeated: &'static str) -> Response {
    let chunk = Bytes::from(repeated.repeat(64 * 1024 / repeated.len()));
    let chunks = stream::once(async move { Bytes::from_static(start.as_bytes()) })
        .chain(stream::repeat_with(move || chunk.clone()));
    streamed(kind, chunks)
}

fn streamed<T: Into<Bytes> + 'static>(
    kind: &'static str,
    chunks: impl futures::Stream<Item = T> + Send + 'static,
) -> Response {
    let body = Body::from_stream(chunks.map(Ok::<T, std::io::Error>));
    ([("content-type", kind)], body).into_response()
}

fn bomb(kind: &str) -> Response {
    static BODY: LazyLock<Bytes> = LazyLock::new(|| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let spaces = vec![b' '; MIB];
        for _ in 0..256 {
            // A write into memory cannot fail.
            let _ = encoder.write_all(&spaces);
        }
        encoder.finish().unwrap_or_default().into()
    });
    Reply::new(200, kind, BODY.clone()).with("content-encoding", "gzip").into_response()
}

/// Different scopes of four characters.
fn scopes(count: u32) -> Vec<String> {
    let letter = |number: u32| char::from_digit(number % 36, 36).unwrap_or('0');
    let digits = |number: u32| [number, number / 36, number / 1296, number / 46_656];
    (0..count).map(|number| digits(number).map(letter).iter().collect()).collect()
}
