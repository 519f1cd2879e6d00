//! The question whether a secret may be sent to another address.

use anyhow::{Result, ensure};
use serde_json::json;
use usher_fake_service::{FakeService, Options};
use usher_tests::{Cli, Desktop, Page, Window};

#[tokio::test]
async fn a_secret_goes_to_another_address_only_after_a_click() -> Result<()> {
    let (home, moved, other) = (service().await?, service().await?, service().await?);
    let desktop = Desktop::start().await?;
    desktop.write_config(&config(&home))?;
    let mut set = Cli::new(&desktop).start(&["secret", "set", "notes_key"])?;
    set.write_line("hush").await?;
    ensure!(set.finish().await?.code == Some(0), "the secret is not stored");
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see("[data-testid=service][data-state=connected]").await?;

    desktop.write_config(&config(&moved))?;
    let card = page.read_until(&Page::id("secret-request"), &moved.at("")).await?;
    let host = moved.at("").replace("http://", "");
    ensure!(card.contains(&format!("Send the secret “notes_key” to {host}?")), "{card}");
    ensure!(card.contains(&home.at("")), "{card}");
    ensure!(card.contains(&format!("Allow for {host}")), "{card}");
    page.screenshot("secret-request").await?;
    ensure!(moved.requests().is_empty(), "something was sent");
    page.press(&Page::id("secret-allow")).await?;
    page.see("[data-testid=service][data-state=connected]").await?;
    let key = moved.requests().last().and_then(|request| request.headers.get("x-key").cloned());
    ensure!(key.is_some_and(|key| key == "hush"), "the secret was not sent");

    desktop.write_config(&config(&other))?;
    page.read_until(&Page::id("secret-request"), &other.at("")).await?;
    page.press(&Page::id("secret-turn-off")).await?;
    page.see("[data-testid=service][data-state=disabled]").await?;
    ensure!(other.requests().is_empty(), "something was sent");
    ensure!(std::fs::read_to_string(desktop.config_file())?.contains("\"disabled\": true"));
    Ok(())
}

async fn service() -> Result<FakeService> {
    Ok(FakeService::start(Options { requires_authorization: false, ..Options::default() }).await?)
}

fn config(service: &FakeService) -> String {
    let headers = json!({ "X-Key": "{{notes_key}}" });
    let entry = json!({ "type": "http", "url": service.url(), "headers": headers });
    json!({ "mcpServers": { "notes": entry } }).to_string()
}
