//! Tests of the fixtures themselves.

use anyhow::Result;
use usher_fake_service::{FakeService, Reply};
use usher_tests::wait::until_ready;
use usher_tests::{Browser, Desktop, Keyring};

const CALLBACK: &str = "dev.usher.desktop:/oauth/callback?code=1&state=2";

#[tokio::test]
async fn a_link_opened_by_a_program_reaches_the_real_browser_and_a_custom_scheme_returns() -> Result<()> {
    let service = FakeService::scripted().await?;
    let form = "<form action=/answer><button id=allow>Allow</button></form>";
    service.on("GET /ask", Reply::new(200, "text/html", form));
    // The browser adds an empty query.
    service.on("GET /answer?", Reply::redirect(303, CALLBACK));

    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let received = desktop.folder("cache").join("received");
    let script = format!("#!/bin/sh\nprintf '%s' \"$1\" > '{}'\n", received.display());
    desktop.install_handler("handler", &script, &["x-scheme-handler/dev.usher.desktop"])?;

    assert!(desktop.run("xdg-open", &[&service.at("/ask")]).await?);
    let page = browser.page_showing(&service.origin, "#allow").await?;
    page.press("#allow").await?;
    let link = until_ready("the custom scheme's handler to run", || {
        Ok(std::fs::read_to_string(&received).ok().filter(|text| !text.is_empty()))
    })
    .await?;

    assert_eq!(link, CALLBACK);
    assert_eq!(browser.opened(), [service.at("/ask")]);
    Ok(())
}

#[tokio::test]
async fn the_keychain_stores_finds_and_locks() -> Result<()> {
    let desktop = Desktop::start().await?;
    let store = "printf kept | secret-tool store --label=Usher service dev.usher.desktop";
    assert!(desktop.run("sh", &["-c", store]).await?);
    assert!(desktop.stored_secrets()?.contains("secret = kept"));

    Keyring::lock(desktop.bus()?)?;
    assert!(!desktop.run("secret-tool", &["lookup", "service", "dev.usher.desktop"]).await?);
    Ok(())
}
