//! Tests of the fixtures themselves.

use anyhow::Result;
use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::get;
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{Browser, Desktop, Keyring};

#[tokio::test]
async fn a_link_opened_by_a_program_reaches_the_real_browser_and_a_custom_scheme_returns() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let service = Router::new()
        .route("/ask", get(async || Html("<form action=/answer><button id=allow>Allow</button></form>")))
        .route("/answer", get(async || Redirect::to("dev.usher.desktop:/oauth/callback?code=1&state=2")));
    tokio::spawn(async move { axum::serve(listener, service).await });

    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let received = desktop.folder("cache").join("received");
    let handler = desktop
        .install_script("handler", &format!("#!/bin/sh\nprintf '%s' \"$1\" > '{}'\n", received.display()))?;
    std::fs::write(
        desktop.folder("data/applications").join("handler.desktop"),
        format!("[Desktop Entry]\nType=Application\nName=Handler\nExec={} %u\n", handler.display()),
    )?;
    let status = desktop
        .command("xdg-mime")
        .args(["default", "handler.desktop", "x-scheme-handler/dev.usher.desktop"])
        .status()?;
    assert!(status.success());

    let opened = desktop.command("xdg-open").arg(format!("{origin}/ask")).status()?;
    assert!(opened.success());
    let page = browser.page_showing(&origin, "#allow").await?;
    page.press("#allow").await?;
    let link = until_ready("the custom scheme's handler to run", TIMEOUT, || {
        Ok(std::fs::read_to_string(&received).ok().filter(|text| !text.is_empty()))
    })
    .await?;

    assert_eq!(link, "dev.usher.desktop:/oauth/callback?code=1&state=2");
    assert_eq!(browser.opened(), [format!("{origin}/ask")]);
    Ok(())
}

#[tokio::test]
async fn the_keychain_stores_finds_and_locks() -> Result<()> {
    let desktop = Desktop::start().await?;
    let stored = desktop
        .command("sh")
        .args(["-c", "printf kept | secret-tool store --label=Usher service dev.usher.desktop"])
        .status()?;
    assert!(stored.success());
    assert!(desktop.stored_secrets()?.contains("secret = kept"));

    Keyring::lock(desktop.bus()?)?;
    let locked = desktop.command("secret-tool").args(["lookup", "service", "dev.usher.desktop"]).status()?;
    assert!(!locked.success());
    Ok(())
}
