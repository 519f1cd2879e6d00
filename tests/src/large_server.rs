//! A server with long lists, or with texts that take a window long to show.

use std::io;

use serde_json::{Value, json};
use usher_fake_service::{FakeService, Options, Request, result};

/// The tools in one page of a list.
const PAGE: usize = 1000;

/// Starts a server that offers these tools without a sign-in. Each call returns these content blocks.
pub async fn start(tools: Vec<Value>, content: Vec<Value>) -> io::Result<FakeService> {
    let service = FakeService::start(Options { requires_authorization: false, ..Options::default() }).await?;
    service.intercept(move |request| reply(request, &tools, &content).map(|value| result(request, value)));
    Ok(service)
}

/// A tool without arguments.
pub fn tool(name: &str, description: &str) -> Value {
    json!({ "name": name, "description": description, "inputSchema": { "type": "object" } })
}

/// The tools `tool_0`, `tool_1` and so on.
pub fn many_tools(count: usize, description: &str) -> Vec<Value> {
    (0..count).map(|number| tool(&format!("tool_{number}"), description)).collect()
}

/// Texts that keep a markdown parser, a sanitiser or the layout busy, with their names.
pub fn worst_texts() -> Vec<(&'static str, String)> {
    let repeated = |unit: &str, length: usize| unit.repeat(length / unit.len());
    // A browser copies each unclosed element into every paragraph that follows.
    let unclosed: String = (0..1000).map(|number| format!("<b title={number}>")).collect();
    vec![
        ("emphasis", repeated("*a_", 20_000)),
        ("quotes", format!("quoted {}", repeated("> ", 19_000))),
        ("lists", format!("listed\n\n{}", repeated("- ", 19_000))),
        ("brackets", format!("brackets {}", repeated("[`", 19_000))),
        ("links", repeated("[a](b", 20_000)),
        ("tags", format!("tagged {unclosed}{}", repeated("<p>", 3_000))),
        ("line", repeated("x", 400_000)),
    ]
}

fn reply(request: &Request, tools: &[Value], content: &[Value]) -> Option<Value> {
    let message = request.json();
    match message["method"].as_str()? {
        "tools/list" => {
            let cursor = message["params"]["cursor"].as_str();
            let start = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
            let end = tools.len().min(start + PAGE);
            let next = (end < tools.len()).then(|| end.to_string());
            Some(json!({
                "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                "tools": tools.get(start..end)?, "nextCursor": next,
            }))
        }
        "tools/call" => Some(json!({ "resultType": "complete", "content": content })),
        _ => None,
    }
}
