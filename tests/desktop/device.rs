//! The sign-in with a code on another device, in the window.

use anyhow::{Result, ensure};
use serde_json::json;
use usher_demo::{Demo, DemoOptions};
use usher_tests::consent::{Decision, answer_on_device};
use usher_tests::{Browser, Desktop, Page, Window, steps};

#[tokio::test]
async fn the_window_shows_the_code_and_opens_the_page_only_after_a_click() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let browser = Browser::install(&desktop)?;
    let entry = json!({ "type": "http", "url": demo.url(), "oauth": { "flow": "device" } });
    desktop.write_config(&json!({ "mcpServers": { "notes": entry } }).to_string())?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.press(&Page::id("server-notes")).await?;

    page.press_to_see(&Page::id("sign-in"), &Page::id("device-code")).await?;
    let code = page.read(&Page::id("device-code")).await?;
    let address = page.read(&Page::id("device-page")).await?;
    ensure!(address == format!("{}/device", demo.issuer()), "{address}");
    page.see(&format!("{} svg", Page::id("device-qr"))).await?;
    page.screenshot("sign-in-on-device").await?;
    ensure!(browser.opened().is_empty(), "{:?}", browser.opened());
    page.press(&Page::id("device-open")).await?;
    let opened = browser.until_opened(1).await?;
    ensure!(opened == [format!("{address}?user_code={code}")], "{opened:?}");

    page.press_to_see(&Page::id("waiting-cancel"), &Page::status("needs_sign_in")).await?;
    // The metadata is known now, so both ways are offered.
    page.press_to_see(&Page::id("sign-in-on-device"), &Page::id("device-code")).await?;
    let code = page.read(&Page::id("device-code")).await?;
    answer_on_device(&address, &code, Decision::Allow).await?;
    page.see(&Page::status("connected")).await?;
    let result = steps::call_tool(&window, "search_pages", &[("query", "welcome")]).await?;
    ensure!(result.to_lowercase().contains("welcome"), "{result}");
    Ok(())
}
