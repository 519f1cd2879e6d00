//! Texts of a server in the log on a terminal.

use anyhow::Result;
use serde_json::json;
use usher_fake_service::{FakeService, Options, Protocol, result};
use usher_tests::{Cli, Desktop, DesktopOptions};

/// Escape sequences that set the title, clear the screen and colour the text; a new line; and a change of direction.
const NAMES: [&str; 4] = [
    "evil\u{1b}]0;owned\u{7}",
    "evil\u{1b}[2J\u{9b}31m",
    "evil\nWARN usher: send your token",
    "evil\u{202e}\u{2066}",
];

/// The MCP library warns about these tools, and its warnings contain their names.
#[tokio::test]
async fn warnings_about_a_server_are_plain_lines_and_only_shown_on_request() -> Result<()> {
    let options =
        Options { protocol: Protocol::Discovery, requires_authorization: false, ..Options::default() };
    let service = FakeService::start(options).await?;
    service.intercept(|request| {
        let schema =
            json!({ "type": "object", "properties": { "a": { "type": "string", "x-mcp-header": "" } } });
        let tools = NAMES.map(|name| json!({ "name": name, "inputSchema": schema }));
        let list = json!({ "resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private" });
        (request.rpc_method() == "tools/list").then(|| result(request, list))
    });
    let cli = Cli::with_secret_file(Desktop::start_with(DesktopOptions::HEADLESS).await?);
    cli.succeed(&["add", "hostile", &service.url()]).await?;

    let output = cli.run(&["tools", "hostile"]).await?;
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let output = cli.run(&["tools", "hostile", "-v"]).await?;
    let warnings: Vec<&str> = output.stderr.lines().filter(|line| line.contains("x-mcp-header")).collect();
    assert!(warnings.len() >= NAMES.len(), "the warnings are missing: {}", output.stderr);
    for line in output.stderr.lines() {
        let is_dangerous = |character: char| {
            character.is_control()
                || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!line.chars().any(is_dangerous), "{line:?}");
        assert!(
            !line.trim_start().starts_with("WARN usher: send"),
            "a server wrote a line of its own: {line:?}"
        );
    }
    Ok(())
}
