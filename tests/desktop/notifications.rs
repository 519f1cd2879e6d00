//! A service revokes a sign-in: the tray and one notification report it, and one click signs in again.

use std::time::Duration;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{App, Cli, NotificationServer, paths};

use crate::support::{FullDesktop, SignedIn, TITLE, configure_notes, sign_in_by_command};

/// Short-lived access tokens. The engine refreshes them shortly before they expire, so it soon notices a revocation.
fn short_lived() -> DemoOptions {
    DemoOptions { life: Duration::from_secs(8), ..DemoOptions::default() }
}

#[tokio::test]
async fn a_revoked_sign_in_is_notified_once_and_fixed_by_one_click() -> Result<()> {
    let SignedIn { mut desktop, demo, mut app } = SignedIn::start(short_lived()).await?;
    let connected = desktop.tray.see_item(": connected").await?;
    assert_eq!(desktop.notifications.shown(), [], "notified at the first sign-in");

    demo.revoke_everything();
    desktop.tray.see_icon("needs-you").await?;
    desktop.tray.see_item("Sign in to").await?;
    let notification = desktop.notifications.see("needs you to sign in again").await?;
    assert_eq!(notification.buttons, ["Sign in", "Remind me in an hour"]);
    assert_eq!(desktop.browser.opened().len(), 1, "opened again before a click");

    demo.forget_requests();
    desktop.notifications.click(&notification).await?;
    until_ready("the browser to open again", TIMEOUT, || {
        Ok((desktop.browser.opened().len() == 2).then_some(()))
    })
    .await?;
    desktop.allow().await?;
    desktop.tray.see_icon("well").await?;
    assert_eq!(desktop.tray.see_item(": connected").await?.label, connected.label);
    let mut call = desktop.command(paths::usher()?);
    call.args(["call", "notes", "search_pages", r#"{"query":"welcome"}"#]);
    // This thread must stay free, because the demo runs on it.
    let called = tokio::task::spawn_blocking(move || call.output()).await??;
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    let methods = mcp_methods(&demo);
    assert!(methods.iter().any(|method| method == "tools/call"), "{methods:?}");
    let handshake = |method: &&String| ["initialize", "server/discover"].contains(&method.as_str());
    assert_eq!(methods.iter().find(handshake), None, "the app reconnected: {methods:?}");

    let shown = desktop.notifications.shown();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(desktop.windows.find(TITLE)?, None, "a window opened");
    desktop.tray.click("Quit Usher").await?;
    assert!(app.wait_for_exit().await?.0.success());
    Ok(())
}

/// The methods of all MCP requests to the service, handshakes included.
fn mcp_methods(demo: &Demo) -> Vec<String> {
    demo.requests().into_iter().filter_map(|record| record.mcp_method).collect()
}

#[tokio::test]
async fn remind_me_later_leaves_the_sign_in_to_the_tray() -> Result<()> {
    let SignedIn { mut desktop, demo, app: _app } = SignedIn::start(short_lived()).await?;
    demo.revoke_everything();
    let notification = desktop.notifications.see("needs you to sign in again").await?;
    desktop.notifications.press(&notification, "Remind me in an hour").await?;
    desktop.tray.click("Sign in to").await?;
    desktop.allow().await?;
    desktop.tray.see_icon("well").await?;
    assert_eq!(desktop.notifications.shown().len(), 1);
    assert_eq!(desktop.browser.opened().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_notification_closes_when_the_sign_in_starts_elsewhere() -> Result<()> {
    let SignedIn { mut desktop, demo, app: _app } = SignedIn::start(short_lived()).await?;
    demo.revoke_everything();
    desktop.notifications.see("needs you to sign in again").await?;
    desktop.tray.click("Sign in to").await?;
    until_ready("the notification to close", TIMEOUT, || {
        Ok(desktop.notifications.shown().iter().all(|notification| !notification.open).then_some(()))
    })
    .await?;
    desktop.allow().await?;
    desktop.tray.see_icon("well").await
}

#[tokio::test]
async fn a_step_up_continues_the_call_after_one_click_on_its_notification() -> Result<()> {
    let scopes = ["openid", "notes:read"].map(String::from).to_vec();
    let demo = Demo::start(DemoOptions { challenge_scopes: scopes, ..DemoOptions::default() }).await?;
    let mut desktop = FullDesktop::start().await?;
    configure_notes(&desktop, &demo)?;
    let _app = App::start(&desktop, &["--hidden"])?;
    desktop.tray.see_icon("needs-you").await?;
    sign_in_by_command(&desktop, "notes").await?;
    desktop.tray.see_icon("well").await?;

    let call = Cli::new(&desktop).start(&["call", "notes", "create_page", r#"{"title":"Dawn"}"#])?;
    desktop.tray.see_icon("needs-you").await?;
    let notification = desktop.notifications.see("permission").await?;
    assert_eq!(desktop.browser.opened(), Vec::<String>::new(), "opened before a click");
    desktop.notifications.click(&notification).await?;
    desktop.allow().await?;
    let call = call.finish(TIMEOUT).await?;
    assert_eq!((call.code, call.stdout.contains("Added “Dawn”")), (Some(0), true), "{call:?}");
    desktop.tray.see_icon("well").await?;
    let shown = desktop.notifications.shown();
    assert_eq!(shown.len(), 1, "{shown:?}");
    Ok(())
}

#[tokio::test]
async fn open_notifications_are_shown_again_when_the_notification_server_restarts() -> Result<()> {
    let SignedIn { mut desktop, demo, app: _app } = SignedIn::start(short_lived()).await?;
    demo.revoke_everything();
    desktop.notifications.see("needs you to sign in again").await?;

    drop(desktop.notifications);
    desktop.notifications = NotificationServer::start(desktop.base.bus()?).await?;
    let notification = desktop.notifications.see("needs you to sign in again").await?;
    desktop.notifications.click(&notification).await?;
    desktop.allow().await?;
    desktop.tray.see_icon("well").await?;
    let shown = desktop.notifications.shown();
    assert_eq!(shown.len(), 1, "{shown:?}");
    Ok(())
}
