//! The page of the named secrets, in the real window with a real keychain.

use anyhow::{Result, ensure};
use serde_json::json;
use usher_fake_service::{FakeService, Options};
use usher_tests::{Desktop, Page, Window};

#[tokio::test]
async fn a_person_enters_replaces_withdraws_and_removes_a_secret() -> Result<()> {
    let service = FakeService::start(Options { requires_authorization: false, ..Options::default() }).await?;
    let desktop = Desktop::start().await?;
    let headers = json!({ "X-Key": "{{notes_key}}" });
    let entry = json!({ "type": "http", "url": service.url(), "headers": headers });
    desktop.write_config(&json!({ "mcpServers": { "notes": entry } }).to_string())?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.press_to_see(&Page::id("settings"), &Page::id("secrets-open")).await?;
    page.press_to_see(&Page::id("secrets-open"), &Page::id("secrets-page")).await?;
    let missing = page.read_until(&Page::id("secrets-list-missing"), "notes_key").await?;
    ensure!(missing.contains("header X-Key"), "{missing}");

    enter(page, "hush-hush-1").await?;
    let stored = page.read_until(&Page::id("secrets-list-stored"), "In use now").await?;
    ensure!(stored.contains(&service.at("")), "{stored}");
    ensure!(last_key(&service).as_deref() == Some("hush-hush-1"), "the secret was not sent");
    ensure!(desktop.stored_secrets()?.contains("hush-hush-1"), "the keychain does not have the secret");
    page.screenshot("named-secrets").await?;

    enter(page, "hush-hush-2").await?;
    page.read_until(&Page::id("secret-changed"), "notes_key is stored.").await?;
    page.read_until(&Page::id("secrets-list-stored"), "In use now").await?;

    page.press(&Page::id("secret-withdraw")).await?;
    page.read_until(&Page::id("secret-origins"), "not allowed").await?;
    service.forget_requests();
    page.press(&Page::id("secret-allow")).await?;
    page.read_until(&Page::id("secrets-list-stored"), "In use now").await?;
    ensure!(last_key(&service).as_deref() == Some("hush-hush-2"), "the new value was not sent");

    page.press_to_see(&Page::id("secret-remove-notes_key"), &Page::id("confirm")).await?;
    let question = page.read(&Page::id("confirm")).await?;
    ensure!(question.contains("stop working until you enter the secret again: notes."), "{question}");
    page.press(&Page::id("remove-confirm")).await?;
    page.read_until(&Page::id("secrets-list-missing"), "notes_key").await?;
    ensure!(!desktop.stored_secrets()?.contains("hush"), "the keychain still has the secret");
    Ok(())
}

/// Enters a value for the secret, and waits until the dialog has closed.
async fn enter(page: &Page, value: &str) -> Result<()> {
    page.press_to_see(&Page::id("secret-set-notes_key"), &Page::id("secret-dialog")).await?;
    page.fill(&Page::id("secret-value"), value).await?;
    page.press(&Page::id("secret-save")).await?;
    page.see_gone(&Page::id("secret-dialog")).await?;
    let text = page.script("return document.documentElement.outerHTML").await?.to_string();
    ensure!(!text.contains(value), "the value is still in the window");
    Ok(())
}

/// The last value of the header that the service received.
fn last_key(service: &FakeService) -> Option<String> {
    let requests = service.requests();
    let keys = requests.iter().filter_map(|request| request.headers.get("x-key")?.to_str().ok());
    keys.last().map(str::to_owned)
}
