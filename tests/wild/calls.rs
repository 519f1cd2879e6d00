//! Tool calls whose requests or responses are unusual but valid.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use usher_api::{ToolCallView, ToolContent};
use usher_engine::CallOptions;
use usher_fake_service::{FakeService, Options, Protocol, Reply, Request, result};
use usher_tests::wait::until_ready;

use crate::person::{Person, id, service_with};

/// A response to a tool call. Its text must reach the caller unchanged.
struct Row {
    name: &'static str,
    /// Encodes the JSON-RPC message, whose result contains the text.
    encode: fn(Value) -> Reply,
    text: fn() -> String,
}

const fn row(name: &'static str, encode: fn(Value) -> Reply) -> Row {
    Row { name, encode, text: || "One\nline, then “another”: \\ \u{1F980}".to_owned() }
}

const fn large(name: &'static str, encode: fn(Value) -> Reply) -> Row {
    Row { name, encode, text: || "0123456789abcdé\n".repeat(200_000) }
}

const ROWS: [Row; 16] = [
    row("JSON is compressed", |message| compressed("application/json", &message.to_string())),
    row("an event stream is compressed", |message| compressed("text/event-stream", &event(&message))),
    row("the lines of JSON end with CRLF", |message| {
        Reply::new(200, "application/json", pretty(&message).replace('\n', "\r\n"))
    }),
    row("the lines of an event stream end with CRLF", |message| {
        stream(format!("event: message\r\nid: 7\r\ndata: {message}\r\n\r\n"))
    }),
    row("an event has many lines", |message| stream(lines(&message))),
    row("an event has many lines that end with CRLF", |message| {
        stream(lines(&message).replace('\n', "\r\n"))
    }),
    large("JSON has 3 MB", Reply::json),
    large("an event has 3 MB", |message| stream(event(&message))),
    large("an event has many lines and 3 MB", |message| stream(lines(&message))),
    large("3 MB are compressed", |message| compressed("text/event-stream", &event(&message))),
    row("the id of the response is a string", |mut message| {
        message["id"] = message["id"].to_string().into();
        Reply::json(message)
    }),
    row("the id of the response in an event is a string", |mut message| {
        message["id"] = message["id"].to_string().into();
        stream(event(&message))
    }),
    row("the progress is of no request", |message| {
        let progress = ["\"foreign\"", "987654", "-1", "\"\"", "18446744073709551615"].map(progress);
        stream([progress.concat(), event(&message)].concat())
    }),
    row("the progress token is not one", |message| {
        let progress = ["null", "1.5", "{}", "[1]"].map(progress);
        stream([progress.concat(), event(&message)].concat())
    }),
    row("notifications are unknown", |message| {
        let unknown = json!({ "jsonrpc": "2.0", "method": "notifications/unknown", "params": { "a": 1 } });
        let vendor = json!({ "jsonrpc": "2.0", "method": "com.example/anything" });
        stream([unknown, vendor, message].iter().map(event).collect())
    }),
    row("log messages are of every kind", |message| {
        let log = |data: Value| {
            let params = json!({ "level": "info", "data": data });
            event(&json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": params }))
        };
        stream([log(json!("text")), log(json!({ "a": [1] })), log(Value::Null), event(&message)].concat())
    }),
];

#[tokio::test]
async fn the_text_of_each_result_arrives_unchanged() -> Result<()> {
    for row in ROWS {
        receive(&row).await.with_context(|| row.name)?;
    }
    Ok(())
}

async fn receive(row: &Row) -> Result<()> {
    let service = service_with(Options::open_handshake()).await?;
    let (encode, text) = (row.encode, (row.text)());
    let sent = text.clone();
    service.intercept(move |request| {
        let content = json!([{ "type": "text", "text": sent }]);
        let message =
            || json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": { "content": content } });
        (request.rpc_method() == "tools/call").then(|| encode(message()).into_response())
    });
    let person = Person::new(service).await?;
    person.until_connected().await?;
    let called = call(&person, "read", Map::new()).await?;
    let [ToolContent::Text { text: received }] = &called.content[..] else {
        anyhow::bail!("{} blocks", called.content.len());
    };
    ensure!(*received == text, "the text changed: {}", received.chars().take(200).collect::<String>());
    person.engine.stop().await;
    Ok(())
}

/// A server's own requests have ids of its choice, and Usher answers with the same ones.
#[tokio::test]
async fn the_id_of_a_servers_request_comes_back_unchanged() -> Result<()> {
    let ids =
        [json!("ping-1"), json!(""), json!("日本"), json!("7"), json!(0), json!(9_007_199_254_740_993_i64)];
    let service = service_with(Options::open_handshake()).await?;
    let pings: String =
        ids.iter().map(|id| event(&json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }))).collect();
    service.intercept(move |request| {
        let done = || json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": { "content": [] } });
        (request.rpc_method() == "tools/call")
            .then(|| stream([pings.clone(), event(&done())].concat()).into_response())
    });
    let person = Person::new(service).await?;
    person.until_connected().await?;
    call(&person, "read", Map::new()).await?;
    let mut answered = until_ready("every ping to be answered", || {
        let requests = person.service.requests();
        let answers: Vec<Value> =
            requests.iter().map(Request::json).filter(|message| message.get("result").is_some()).collect();
        Ok((answers.len() == ids.len()).then_some(answers))
    })
    .await?;
    let key = |id: &Value| id.to_string();
    answered.sort_by_key(|message| key(&message["id"]));
    let mut expected = ids.to_vec();
    expected.sort_by_key(key);
    let expected: Vec<Value> =
        expected.iter().map(|id| json!({ "jsonrpc": "2.0", "id": id, "result": {} })).collect();
    ensure!(answered == expected, "{answered:?}");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn integers_of_64_bits_stay_exact_in_both_directions() -> Result<()> {
    const EXACT: &str = "[18446744073709551615,-9223372036854775808,9007199254740993,0.1,-0.0,1e300]";
    let service = service_with(Options::open_handshake()).await?;
    service.intercept(|request| {
        // Raw text, because the numbers must not pass through the parser of this test.
        let body = || {
            let id = &request.json()["id"];
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[],"structuredContent":{{"numbers":{EXACT}}}}}}}"#)
        };
        (request.rpc_method() == "tools/call")
            .then(|| Reply::new(200, "application/json", body()).into_response())
    });
    let person = Person::new(service).await?;
    person.until_connected().await?;
    let arguments = serde_json::from_str(&format!(r#"{{"numbers":{EXACT}}}"#))?;
    let called = call(&person, "read", arguments).await?;
    let structured = called.structured.context("no structured content")?;
    ensure!(
        structured.contains("18446744073709551615,-9223372036854775808,9007199254740993"),
        "{structured}"
    );
    let sent = last_call(&person.service)?;
    let body = String::from_utf8_lossy(&sent.body);
    ensure!(body.contains("18446744073709551615,-9223372036854775808,9007199254740993"), "{body}");
    person.engine.stop().await;
    Ok(())
}

/// The header must name the tool although HTTP allows only ASCII in it (SEP-2243).
#[tokio::test]
async fn a_tools_name_of_any_characters_is_in_the_header() -> Result<()> {
    for (name, header) in [
        ("read", "read"),
        ("résumé", "=?base64?csOpc3Vtw6k=?="),
        ("日本", "=?base64?5pel5pys?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("two\nlines", "=?base64?dHdvCmxpbmVz?="),
        ("=?base64?cmVhZA==?=", "=?base64?PT9iYXNlNjQ/Y21WaFpBPT0/PQ==?="),
    ] {
        let person = discovering(vec![json!({ "name": name, "inputSchema": { "type": "object" } })]).await?;
        call(&person, name, Map::new()).await.with_context(|| name)?;
        let sent = last_call(&person.service)?;
        ensure!(sent.json()["params"]["name"] == name);
        ensure!(header_of(&sent, "mcp-name") == Some(header), "{:?}", sent.headers);
        person.engine.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn an_argument_with_a_header_of_its_own_is_sent_in_it() -> Result<()> {
    let schema = json!({ "type": "object", "properties": {
        "region": { "type": "string", "x-mcp-header": "Region" },
        "count": { "type": "integer", "x-mcp-header": "Count" },
        "city": { "type": "string", "x-mcp-header": "City" },
        "other": { "type": "string" },
    } });
    let person = discovering(vec![json!({ "name": "read", "inputSchema": schema })]).await?;
    let arguments = json!({ "region": "eu-1", "count": 3, "city": "Zürich", "other": "x" });
    call(&person, "read", serde_json::from_value(arguments.clone())?).await?;
    let sent = last_call(&person.service)?;
    ensure!(sent.json()["params"]["arguments"] == arguments);
    let headers = ["mcp-param-region", "mcp-param-count", "mcp-param-city", "mcp-param-other"];
    let headers = headers.map(|name| header_of(&sent, name));
    ensure!(headers == [Some("eu-1"), Some("3"), Some("=?base64?WsO8cmljaA==?="), None], "{headers:?}");
    person.engine.stop().await;
    Ok(())
}

/// A header that a server may not choose: none of these is ever sent, and no other tool is lost.
#[tokio::test]
async fn an_invalid_header_of_an_argument_is_never_sent() -> Result<()> {
    for header in [
        json!(""),
        json!("a b"),
        json!("X\r\nAuthorization"),
        json!("Größe"),
        json!(7),
        json!(null),
        json!({ "name": "X" }),
    ] {
        let schema = json!({ "type": "object", "properties": {
            "value": { "type": "string", "x-mcp-header": header },
        } });
        let good = json!({ "name": "read", "inputSchema": { "type": "object" } });
        let person = discovering(vec![json!({ "name": "bad", "inputSchema": schema }), good]).await?;
        let arguments = json!({ "value": "secret" });
        // Whether the tool can be called is not the point.
        let _ = call(&person, "bad", serde_json::from_value(arguments)?).await;
        call(&person, "read", Map::new()).await.with_context(|| header.to_string())?;
        for request in person.service.requests() {
            let mut names = request.headers.keys().map(axum::http::HeaderName::as_str);
            ensure!(
                names.all(|name| !name.starts_with("mcp-param-") && name != "x-injected"),
                "{header}: {:?}",
                request.headers
            );
        }
        person.engine.stop().await;
    }
    Ok(())
}

/// A value with a line break would add a header of its own.
#[tokio::test]
async fn a_value_with_a_line_break_is_encoded_in_its_header() -> Result<()> {
    let schema = json!({ "type": "object", "properties": {
        "value": { "type": "string", "x-mcp-header": "Value" },
    } });
    let person = discovering(vec![json!({ "name": "read", "inputSchema": schema })]).await?;
    let arguments = json!({ "value": "a\r\nX-Injected: 1" });
    call(&person, "read", serde_json::from_value(arguments)?).await?;
    let sent = last_call(&person.service)?;
    let headers = ["mcp-param-value", "x-injected"].map(|name| header_of(&sent, name));
    ensure!(headers == [Some("=?base64?YQ0KWC1JbmplY3RlZDogMQ==?="), None], "{headers:?}");
    person.engine.stop().await;
    Ok(())
}

/// A server whose lists change whenever they are read.
#[tokio::test]
async fn a_list_that_changes_with_each_reading_is_read_at_most_once_a_second() -> Result<()> {
    for changes in [1, 500] {
        let service = service_with(Options::open_handshake()).await?;
        service.intercept(move |request| {
            let changed = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
            let tool = json!({ "name": "read", "inputSchema": { "type": "object" } });
            let list =
                || json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": { "tools": [tool] } });
            (request.rpc_method() == "tools/list")
                .then(|| stream([event(&changed).repeat(changes), event(&list())].concat()).into_response())
        });
        let person = Person::new(service).await?;
        person.until_connected().await?;
        ensure_paced(&person.service, "tools/list", 4, Duration::from_secs(3)).await?;
        call(&person, "read", Map::new()).await?;
        person.engine.stop().await;
    }
    Ok(())
}

/// A server that ends the stream of a session as soon as it is open.
#[tokio::test]
async fn a_stream_that_ends_at_once_is_reopened_at_most_once_a_second() -> Result<()> {
    for body in ["", ": hello\n\n", "retry: 0\n\n", "id: 1\nretry: 0\n\n", "data: \n\n"] {
        let service = service_with(Options::open_handshake()).await?;
        service.on("GET /mcp", stream(body.to_owned()));
        let person = Person::new(service).await?;
        person.until_connected().await?;
        ensure_paced(&person.service, "GET", 4, Duration::from_secs(2)).await.with_context(|| body)?;
        call(&person, "read", Map::new()).await?;
        person.engine.stop().await;
    }
    Ok(())
}

/// Waits for this many requests, and checks that they took at least `shortest`.
async fn ensure_paced(service: &FakeService, kind: &str, count: usize, shortest: Duration) -> Result<()> {
    let number = || match kind {
        "GET" => service.requests_to("GET /mcp").len(),
        method => service.rpc_count(method),
    };
    until_ready("the first request", || Ok((number() > 0).then_some(()))).await?;
    let begun = Instant::now();
    until_ready("repeated requests", || Ok((number() >= count).then_some(()))).await?;
    let (number, took) = (number(), begun.elapsed());
    ensure!(took >= shortest, "{number} requests in {took:?}");
    Ok(())
}

/// A person who is connected to a server with `server/discover` and these tools.
async fn discovering(tools: Vec<Value>) -> Result<Person> {
    let options =
        Options { protocol: Protocol::Discovery, requires_authorization: false, ..Options::default() };
    let service = service_with(options).await?;
    service.intercept(move |request| {
        let list = json!({ "resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private" });
        (request.rpc_method() == "tools/list").then(|| result(request, list))
    });
    let person = Person::new(Arc::clone(&service)).await?;
    person.until_connected().await?;
    Ok(person)
}

async fn call(person: &Person, tool: &str, arguments: Map<String, Value>) -> Result<ToolCallView> {
    Ok(person.engine.call_tool(&id(), tool, arguments, CallOptions::new("call")).await?)
}

fn last_call(service: &FakeService) -> Result<Request> {
    let requests = service.requests();
    requests.into_iter().rfind(|request| request.rpc_method() == "tools/call").context("no call was sent")
}

fn header_of<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

fn stream(body: String) -> Reply {
    Reply::new(200, "text/event-stream", body)
}

fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

fn pretty(message: &Value) -> String {
    format!("{message:#}")
}

/// An event with one line for each line of indented JSON.
fn lines(message: &Value) -> String {
    let lines: String = pretty(message).lines().map(|line| format!("data: {line}\n")).collect();
    format!("{lines}\n")
}

fn progress(token: &str) -> String {
    let params = format!(r#"{{"progressToken":{token},"progress":1,"total":2}}"#);
    format!("data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{params}}}\n\n")
}

fn compressed(kind: &str, body: &str) -> Reply {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body.as_bytes()).and_then(|()| encoder.finish());
    Reply::new(200, kind, written.unwrap_or_default()).with("content-encoding", "gzip")
}
