//! A service that ends a sign-in: the tray shows it, one notification tells it, and one click settles it.

use std::time::Duration;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{App, Browser, Cli, Desktop, NotificationServer, TrayHost, Windows, place, walk};

use crate::people::{sign_in_by_command, write_config_with};

/// Short-lived tokens: the engine renews them ahead of time, and so notices by itself that the service ended them.
fn short_lived() -> DemoOptions {
    DemoOptions { life: Duration::from_secs(8), ..DemoOptions::default() }
}

#[tokio::test]
async fn a_revoked_sign_in_is_told_once_and_settled_by_one_click() -> Result<()> {
    let demo = Demo::start(short_lived()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let notifications = NotificationServer::start(desktop.bus()?).await?;
    let windows = Windows::of(desktop.display()?)?;
    let mut browser = Browser::install(&desktop)?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let mut app = App::start(&desktop, &["--hidden"])?;

    // The first sign-in, from the menu.
    tray.see("needs-you").await?;
    tray.click("Sign in to").await?;
    walk::consent(&mut browser).await?.press("#allow").await?;
    tray.see("well").await?;
    let connected = tray.see_line(": connected").await?;
    assert_eq!(notifications.shown(), [], "a first sign-in is no expiry");

    demo.revoke_everything();
    tray.see("needs-you").await?;
    tray.see_line("Sign in to").await?;
    let told = notifications.see("needs you to sign in again").await?;
    assert_eq!(told.buttons, ["Sign in", "Remind me in an hour"]);
    assert_eq!(browser.opened().len(), 1, "nobody clicked yet");

    demo.forget_requests();
    notifications.click(&told).await?;
    until_ready("the browser to be opened again", PATIENCE, || {
        Ok((browser.opened().len() == 2).then_some(()))
    })
    .await?;
    walk::consent(&mut browser).await?.press("#allow").await?;
    tray.see("well").await?;
    assert_eq!(tray.see_line(": connected").await?.label, connected.label);
    let mut call = desktop.command(place::usher()?);
    call.args(["call", "notes", "search_pages", r#"{"query":"welcome"}"#]);
    // The service runs on this test's own thread.
    let called = tokio::task::spawn_blocking(move || call.output()).await??;
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    let asked = mcp_methods(&demo);
    assert!(asked.iter().any(|method| method == "tools/call"), "{asked:?}");
    let handshake = |method: &&String| ["initialize", "server/discover"].contains(&method.as_str());
    assert_eq!(asked.iter().find(handshake), None, "the connection was opened anew: {asked:?}");

    assert_eq!(notifications.shown().len(), 1, "{:?}", notifications.shown());
    assert_eq!(windows.find("Usher")?, None, "no window was asked for");
    tray.click("Quit Usher").await?;
    assert!(app.ended().await?.0.success());
    Ok(())
}

/// What was sent to the service's MCP server, handshakes included.
fn mcp_methods(demo: &Demo) -> Vec<String> {
    demo.requests().into_iter().filter_map(|record| record.mcp_method).collect()
}

/// A desktop on which the app waits in the tray, signed in to a service from its menu.
struct InTheTray {
    demo: Demo,
    desktop: Desktop,
    tray: TrayHost,
    notifications: NotificationServer,
    browser: Browser,
    app: App,
}

impl InTheTray {
    async fn begin() -> Result<InTheTray> {
        let demo = Demo::start(short_lived()).await?;
        let desktop = Desktop::start().await?;
        let tray = TrayHost::start(desktop.bus()?).await?;
        let notifications = NotificationServer::start(desktop.bus()?).await?;
        let mut browser = Browser::install(&desktop)?;
        write_config_with(&desktop, "notes", demo.url().as_str())?;
        let app = App::start(&desktop, &["--hidden"])?;
        tray.click("Sign in to").await?;
        walk::consent(&mut browser).await?.press("#allow").await?;
        tray.see("well").await?;
        Ok(InTheTray { demo, desktop, tray, notifications, browser, app })
    }
}

#[tokio::test]
async fn later_leaves_it_to_the_tray() -> Result<()> {
    let InTheTray { demo, desktop: _desktop, tray, notifications, mut browser, app: _app } =
        InTheTray::begin().await?;

    demo.revoke_everything();
    let told = notifications.see("needs you to sign in again").await?;
    notifications.press(&told, "Remind me in an hour").await?;
    tray.click("Sign in to").await?;
    walk::consent(&mut browser).await?.press("#allow").await?;
    tray.see("well").await?;
    assert_eq!(notifications.shown().len(), 1);
    assert_eq!(browser.opened().len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_is_settled_elsewhere_is_taken_off_the_screen() -> Result<()> {
    let InTheTray { demo, desktop: _desktop, tray, notifications, mut browser, app: _app } =
        InTheTray::begin().await?;

    demo.revoke_everything();
    notifications.see("needs you to sign in again").await?;
    tray.click("Sign in to").await?;
    until_ready("the notification to be gone", PATIENCE, || {
        Ok(notifications.shown().iter().all(|notification| !notification.open).then_some(()))
    })
    .await?;
    walk::consent(&mut browser).await?.press("#allow").await?;
    tray.see("well").await
}

#[tokio::test]
async fn a_call_that_wants_more_permission_goes_on_after_one_click_on_its_notification() -> Result<()> {
    let scopes = ["openid", "notes:read"].map(String::from).to_vec();
    let demo = Demo::start(DemoOptions { challenge_scopes: scopes, ..DemoOptions::default() }).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let notifications = NotificationServer::start(desktop.bus()?).await?;
    let mut browser = Browser::install(&desktop)?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let _app = App::start(&desktop, &["--hidden"])?;
    tray.see("needs-you").await?;
    sign_in_by_command(&desktop, "notes").await?;
    tray.see("well").await?;

    let call = Cli::new(&desktop).start(&["call", "notes", "create_page", r#"{"title":"Dawn"}"#])?;
    tray.see("needs-you").await?;
    let told = notifications.see("permission").await?;
    assert_eq!(browser.opened(), Vec::<String>::new(), "nobody clicked yet");
    notifications.click(&told).await?;
    walk::consent(&mut browser).await?.press("#allow").await?;
    let call = call.finish(PATIENCE).await?;
    assert_eq!((call.code, call.stdout.contains("Added “Dawn”")), (Some(0), true), "{call:?}");
    tray.see("well").await?;
    assert_eq!(notifications.shown().len(), 1, "{:?}", notifications.shown());
    Ok(())
}

#[tokio::test]
async fn what_was_on_the_screen_of_a_desktop_that_starts_anew_is_shown_again() -> Result<()> {
    let InTheTray { demo, desktop, tray, notifications, mut browser, app: _app } = InTheTray::begin().await?;
    demo.revoke_everything();
    notifications.see("needs you to sign in again").await?;

    drop(notifications);
    let anew = NotificationServer::start(desktop.bus()?).await?;
    let told = anew.see("needs you to sign in again").await?;
    anew.click(&told).await?;
    walk::consent(&mut browser).await?.press("#allow").await?;
    tray.see("well").await?;
    assert_eq!(anew.shown().len(), 1, "{:?}", anew.shown());
    Ok(())
}
