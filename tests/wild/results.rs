//! Lists and results with parts that Usher does not know. They reach the person, and spoil no other part.

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use serde_json::Map;
use usher_api::{ToolCallView, ToolContent, ToolView};
use usher_engine::CallOptions;
use usher_fake_service::{Options, Protocol, Reply};

use crate::person::{Person, id, service_with};

/// An unusual item in a list of tools, between two normal ones.
struct ListRow {
    name: &'static str,
    item: &'static str,
    /// A part of the reason why the tool cannot be used, or `None` if it can.
    broken: Option<&'static str>,
}

const fn item(name: &'static str, item: &'static str, broken: Option<&'static str>) -> ListRow {
    ListRow { name, item, broken }
}

const LIST_ROWS: [ListRow; 13] = [
    item("no inputSchema", r#"{"name": "x"}"#, Some("does not describe its arguments")),
    item(
        "an inputSchema of null",
        r#"{"name": "x", "inputSchema": null}"#,
        Some("does not describe its arguments"),
    ),
    item(
        "an inputSchema that is text",
        r#"{"name": "x", "inputSchema": "object"}"#,
        Some("describes its arguments"),
    ),
    item("an inputSchema of true", r#"{"name": "x", "inputSchema": true}"#, Some("describes its arguments")),
    item("no name", r#"{"inputSchema": {}}"#, Some("no name")),
    item("a number as its name", r#"{"name": 7, "inputSchema": {}}"#, Some("no name")),
    item("null in place of a tool", "null", Some("no name")),
    item("text in place of a tool", r#""x""#, Some("no name")),
    item(
        "an outputSchema that is an array",
        r#"{"name": "x", "inputSchema": {}, "outputSchema": []}"#,
        Some("its result"),
    ),
    item("a description that is a number", r#"{"name": "x", "inputSchema": {}, "description": 5}"#, None),
    item("annotations that are text", r#"{"name": "x", "inputSchema": {}, "annotations": "none"}"#, None),
    item("icons of an unknown form", r#"{"name": "x", "inputSchema": {}, "icons": {"a": 1}}"#, None),
    item("a schema with a huge limit", r#"{"name": "x", "inputSchema": {"maximum": 1e400}}"#, None),
];

/// The two kinds of servers: with `server/discover`, and with `initialize`.
const PROTOCOLS: [Protocol; 2] = [Protocol::Discovery, Protocol::Handshake];

#[tokio::test]
async fn an_unusual_tool_spoils_no_other() -> Result<()> {
    for row in &LIST_ROWS {
        for protocol in PROTOCOLS {
            let good = |name| format!(r#"{{"name": "{name}", "inputSchema": {{"type": "object"}}}}"#);
            let tools = format!("[{}, {}, {}]", good("first"), row.item, good("last"));
            let person = person_with(protocol, "tools/list", format!(r#"{{"tools": {tools}}}"#)).await?;
            let tools = person.engine.tools(&id()).await.context(row.name)?;
            let [first, unusual, last] = &tools[..] else {
                anyhow::bail!("{}: {} tools", row.name, tools.len())
            };
            ensure!(
                (first.name.as_str(), last.name.as_str()) == ("first", "last"),
                "{}: {tools:?}",
                row.name
            );
            ensure!(first.broken.is_none() && last.broken.is_none(), "{}: {tools:?}", row.name);
            check_broken(row, unusual)?;
            let called = call(&person).await.context(row.name)?;
            ensure!(called.content == [text("done")], "{}: {called:?}", row.name);
            if let (Some(why), false) = (&unusual.broken, unusual.name.is_empty()) {
                let options = CallOptions::new("unusual");
                let called = person.engine.call_tool(&id(), &unusual.name, Map::new(), options).await;
                let error = called.err().context(row.name)?;
                ensure!(error.message.contains(why), "{}: {error}", row.name);
                ensure!(person.service.rpc_count("tools/call") == 1, "{}: the tool was called", row.name);
            }
            person.engine.stop().await;
        }
    }
    Ok(())
}

fn check_broken(row: &ListRow, tool: &ToolView) -> Result<()> {
    match (&tool.broken, row.broken) {
        (None, None) => Ok(()),
        (Some(why), Some(expected)) if why.contains(expected) => Ok(()),
        _ => anyhow::bail!("{}: {tool:?}", row.name),
    }
}

/// Items of the other lists that cannot be used.
#[tokio::test]
async fn an_unusual_resource_or_prompt_spoils_no_other() -> Result<()> {
    let lists = [
        ("resources/list", r#"{"resources": [{"name": "no address"}, {"uri": "a:b"}, 3]}"#),
        (
            "prompts/list",
            r#"{"prompts": [{"title": "no name"}, {"name": "p", "arguments": [{"x": 1}, {"name": "q"}]}, []]}"#,
        ),
    ];
    for (method, list) in lists {
        let service = service_with(Options::open_handshake()).await?;
        service.intercept(move |request| {
            let capabilities = serde_json::json!({ "tools": {}, "resources": {}, "prompts": {} });
            match request.rpc_method().as_str() {
                "initialize" => Some(usher_fake_service::result(
                    request,
                    serde_json::json!({
                        "protocolVersion": "2025-06-18", "capabilities": capabilities,
                        "serverInfo": { "name": "fake", "version": "1" },
                    }),
                )),
                asked if asked == method => Some(raw(request, list).into_response()),
                _ => None,
            }
        });
        let person = Person::new(service).await?;
        person.until_connected().await?;
        let broken: Vec<bool> = if method == "resources/list" {
            person.engine.resources(&id()).await?.iter().map(|resource| resource.broken.is_some()).collect()
        } else {
            let prompts = person.engine.prompts(&id()).await?;
            ensure!(prompts[1].arguments.len() == 1, "{prompts:?}");
            prompts.iter().map(|prompt| prompt.broken.is_some()).collect()
        };
        ensure!(broken == [true, false, true], "{method}: {broken:?}");
        person.engine.stop().await;
    }
    Ok(())
}

/// A result with one unusual part, and how it is shown.
struct ResultRow {
    name: &'static str,
    result: &'static str,
    content: &'static [Part],
    structured: Option<&'static str>,
}

/// A part of a result, as text or as the JSON of an unknown block.
enum Part {
    Text(&'static str),
    Json(&'static str),
}

use Part::{Json, Text};

const RESULT_ROWS: [ResultRow; 9] = [
    ResultRow {
        name: "an audience that no specification knows",
        result: r#"{"content": [{"type": "text", "text": "a", "annotations": {"audience": ["system"]}}]}"#,
        content: &[Text("a")],
        structured: None,
    },
    ResultRow {
        name: "a block of an unknown kind between two texts",
        result: r#"{"content": [{"type": "text", "text": "a"}, {"type": "hologram", "b": 1}, {"type": "text", "text": "c"}]}"#,
        content: &[Text("a"), Json(r#"{"type": "hologram", "b": 1}"#), Text("c")],
        structured: None,
    },
    ResultRow {
        name: "blocks that are not objects",
        result: r#"{"content": ["a", 1, null, {"type": "text", "text": "b"}]}"#,
        content: &[Json(r#""a""#), Json("1"), Json("null"), Text("b")],
        structured: None,
    },
    ResultRow {
        name: "a text block whose text is a number",
        result: r#"{"content": [{"type": "text", "text": 5}]}"#,
        content: &[Json(r#"{"type": "text", "text": 5}"#)],
        structured: None,
    },
    ResultRow {
        name: "a priority out of range",
        result: r#"{"content": [{"type": "text", "text": "a", "annotations": {"priority": "high"}}]}"#,
        content: &[Text("a")],
        structured: None,
    },
    ResultRow {
        name: "an integer of 30 digits, a float of 40, and repeated keys",
        result: r#"{"content": [], "structuredContent": {"b": 123456789012345678901234567890, "a": 0.1000000000000000000000000000000000000001, "a": -0}}"#,
        content: &[],
        structured: Some(
            r#"{"b": 123456789012345678901234567890, "a": 0.1000000000000000000000000000000000000001, "a": -0}"#,
        ),
    },
    ResultRow {
        name: "structured content without content",
        result: r#"{"structuredContent": [1, 18446744073709551616]}"#,
        content: &[],
        structured: Some("[1, 18446744073709551616]"),
    },
    ResultRow {
        name: "_meta and isError of unknown forms",
        result: r#"{"content": [{"type": "text", "text": "a"}], "isError": "no", "_meta": 7}"#,
        content: &[Text("a")],
        structured: None,
    },
    ResultRow {
        name: "a large integer in an unknown block",
        result: r#"{"content": [{"type": "number", "value": 123456789012345678901234567890}]}"#,
        content: &[Json(r#"{"type": "number", "value": 123456789012345678901234567890}"#)],
        structured: None,
    },
];

#[tokio::test]
async fn no_part_of_a_result_is_lost() -> Result<()> {
    for row in &RESULT_ROWS {
        for protocol in PROTOCOLS {
            let person = person_with(protocol, "tools/call", row.result.to_owned()).await?;
            let called = call(&person).await.context(row.name)?;
            let expected: Vec<_> = row.content.iter().map(content).collect();
            ensure!(!called.is_error && called.content == expected, "{}: {called:?}", row.name);
            ensure!(called.structured.as_deref() == row.structured, "{}: {called:?}", row.name);
            person.engine.stop().await;
        }
    }
    Ok(())
}

/// An answer that is no result at all is an error.
#[tokio::test]
async fn an_answer_that_is_no_result_is_an_error() -> Result<()> {
    for result in ["{}", "[]", "7", r#"{"content": 5}"#, r#"{"contents": []}"#] {
        let person = person_with(Protocol::Handshake, "tools/call", result.to_owned()).await?;
        let error = call(&person).await.err().context(result)?;
        ensure!(
            error.to_string().contains("not a tool result") || error.to_string().contains("list of at most"),
            "{error}"
        );
        person.engine.stop().await;
    }
    Ok(())
}

/// Errors for people contain no text of Rust's `Debug`.
#[tokio::test]
async fn a_handshake_without_a_version_is_explained() -> Result<()> {
    for accepted in ["{}", r#"{"capabilities": {}}"#, r#"{"protocolVersion": 1}"#, "[]"] {
        let service = service_with(Options::open_handshake()).await?;
        service.intercept(move |request| {
            (request.rpc_method() == "initialize").then(|| raw(request, accepted).into_response())
        });
        let person = Person::new(service).await?;
        let view = person.until(|view| view.last_error.is_some()).await?;
        let error = view.last_error.context("no error")?;
        let (hint, details) = (error.hint.unwrap_or_default(), error.details.unwrap_or_default());
        let shown = format!("{} {hint} {details}", error.message);
        for debug in ["Some(", "None", "Result", "{", "::"] {
            ensure!(!shown.contains(debug), "{shown}");
        }
        person.engine.stop().await;
    }
    Ok(())
}

/// Starts a person who is connected to a service that answers one method with this result.
async fn person_with(protocol: Protocol, method: &'static str, result: String) -> Result<Person> {
    let service = service_with(Options { protocol, ..Options::open_handshake() }).await?;
    let result = if protocol == Protocol::Discovery {
        result.replacen('{', r#"{"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "#, 1)
    } else {
        result
    };
    service.intercept(move |request| {
        (request.rpc_method() == method).then(|| raw(request, &result).into_response())
    });
    let person = Person::new(service).await?;
    person.until_connected().await?;
    Ok(person)
}

/// A response whose result is this text.
fn raw(request: &usher_fake_service::Request, result: &str) -> Reply {
    let id = &request.json()["id"];
    Reply::new(200, "application/json", format!(r#"{{"jsonrpc": "2.0", "id": {id}, "result": {result}}}"#))
}

async fn call(person: &Person) -> Result<ToolCallView, usher_api::ErrorView> {
    person.engine.call_tool(&id(), "first", Map::new(), CallOptions::new("call")).await
}

fn text(text: &str) -> ToolContent {
    ToolContent::Text { text: text.to_owned() }
}

fn content(part: &Part) -> ToolContent {
    match part {
        Text(value) => text(value),
        Json(json) => ToolContent::Other { json: (*json).to_owned() },
    }
}
