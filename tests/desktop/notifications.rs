//! A service revokes a sign-in: the tray and one notification report it, and one click signs in again.

use anyhow::Result;
use usher_demo::Demo;
use usher_tests::wait::until_ready;
use usher_tests::{App, Cli, NotificationServer};

use crate::support::{FullDesktop, SignedIn, TITLE, configure_notes, read_only, short_lived};

#[tokio::test]
async fn a_revoked_sign_in_is_notified_once_and_fixed_by_one_click() -> Result<()> {
    let SignedIn { mut desktop, demo, mut app } = SignedIn::start(short_lived(8)).await?;
    let connected = desktop.tray.see_item(": connected").await?;
    assert_eq!(desktop.notifications.shown(), [], "notified at the first sign-in");

    demo.revoke_everything();
    desktop.tray.see_icon("attention").await?;
    desktop.tray.see_item("Sign in to").await?;
    let notification = desktop.notifications.see("needs you to sign in again").await?;
    assert_eq!(notification.buttons, ["Sign in", "Remind me in an hour"]);
    assert_eq!(desktop.browser.opened().len(), 1, "opened again before a click");

    demo.forget_requests();
    desktop.notifications.click(&notification).await?;
    desktop.browser.until_opened(2).await?;
    desktop.allow().await?;
    desktop.tray.see_icon("idle").await?;
    assert_eq!(desktop.tray.see_item(": connected").await?.label, connected.label);
    Cli::new(&desktop.base).succeed(&["call", "notes", "search_pages", r#"{"query":"welcome"}"#]).await?;
    // The methods of all MCP requests to the service, handshakes included.
    let requests = demo.requests().into_iter();
    let methods: Vec<_> = requests.filter_map(|record| record.mcp_method).collect();
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

#[tokio::test]
async fn remind_me_later_leaves_the_sign_in_to_the_tray() -> Result<()> {
    let SignedIn { mut desktop, demo, app: _app } = SignedIn::start(short_lived(8)).await?;
    demo.revoke_everything();
    let notification = desktop.notifications.see("needs you to sign in again").await?;
    desktop.notifications.press(&notification, "Remind me in an hour").await?;
    desktop.tray.click("Sign in to").await?;
    desktop.allow().await?;
    desktop.tray.see_icon("idle").await?;
    assert_eq!(desktop.notifications.shown().len(), 1);
    assert_eq!(desktop.browser.opened().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_notification_closes_when_the_sign_in_starts_elsewhere() -> Result<()> {
    let SignedIn { mut desktop, demo, app: _app } = SignedIn::start(short_lived(8)).await?;
    demo.revoke_everything();
    desktop.notifications.see("needs you to sign in again").await?;
    desktop.tray.click("Sign in to").await?;
    until_ready("the notification to close", || {
        Ok(desktop.notifications.shown().iter().all(|notification| !notification.open).then_some(()))
    })
    .await?;
    desktop.allow().await?;
    desktop.tray.see_icon("idle").await
}

#[tokio::test]
async fn a_step_up_continues_the_call_after_one_click_on_its_notification() -> Result<()> {
    let demo = Demo::start(read_only()).await?;
    let mut desktop = FullDesktop::start().await?;
    configure_notes(&desktop, &demo)?;
    let _app = App::start(&desktop, &["--hidden"])?;
    desktop.tray.see_icon("attention").await?;
    let cli = Cli::new(&desktop.base);
    cli.sign_in("notes").await?;
    desktop.tray.see_icon("idle").await?;

    let call = cli.start(&["call", "notes", "create_page", r#"{"title":"Dawn"}"#])?;
    desktop.tray.see_icon("attention").await?;
    let notification = desktop.notifications.see("permission").await?;
    assert_eq!(desktop.browser.opened(), Vec::<String>::new(), "opened before a click");
    desktop.notifications.click(&notification).await?;
    desktop.allow().await?;
    let call = call.finish().await?;
    assert_eq!((call.code, call.stdout.contains("Added “Dawn”")), (Some(0), true), "{call:?}");
    desktop.tray.see_icon("idle").await?;
    let shown = desktop.notifications.shown();
    assert_eq!(shown.len(), 1, "{shown:?}");
    Ok(())
}

#[tokio::test]
async fn open_notifications_are_shown_again_when_the_notification_server_restarts() -> Result<()> {
    let SignedIn { mut desktop, demo, app: _app } = SignedIn::start(short_lived(8)).await?;
    demo.revoke_everything();
    desktop.notifications.see("needs you to sign in again").await?;

    drop(desktop.notifications);
    desktop.notifications = NotificationServer::start(desktop.base.bus()?).await?;
    let notification = desktop.notifications.see("needs you to sign in again").await?;
    desktop.notifications.click(&notification).await?;
    desktop.allow().await?;
    desktop.tray.see_icon("idle").await?;
    let shown = desktop.notifications.shown();
    assert_eq!(shown.len(), 1, "{shown:?}");
    Ok(())
}
