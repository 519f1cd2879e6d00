//! Unusual desktops: a light panel, a tray that shows the icon before the engine starts, notifications without actions,
//! and a notification server that starts late.

use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::until_ready;
use usher_tests::{App, ColorScheme, Desktop, NotificationServer, Portal, TrayHost};

use crate::support::{configure_notes, sign_in_to_notes};

/// Starts a desktop with a sign-in to "notes" that was revoked while the computer was off.
async fn desktop_with_revoked_sign_in() -> Result<(Demo, Desktop)> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    sign_in_to_notes(&desktop, &demo).await?;
    demo.revoke_everything();
    Ok((demo, desktop))
}

#[tokio::test]
async fn without_the_actions_capability_a_notification_offers_no_click() -> Result<()> {
    let (_demo, desktop) = desktop_with_revoked_sign_in().await?;
    let _tray = TrayHost::start(desktop.bus()?).await?;
    let notifications = NotificationServer::start_with(desktop.bus()?, &["body"]).await?;
    let _app = App::start(&desktop, &["--hidden"])?;
    let notification = notifications.see("needs you to sign in again").await?;
    assert_eq!(
        notification.buttons,
        Vec::<String>::new(),
        "the notification has buttons, which some desktops drop or show as a dialog"
    );
    assert!(!notification.body.to_lowercase().contains("click"), "{}", notification.body);
    Ok(())
}

#[tokio::test]
async fn a_notification_that_could_not_be_shown_is_shown_when_a_server_starts() -> Result<()> {
    let (_demo, desktop) = desktop_with_revoked_sign_in().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let app = App::start(&desktop, &["--hidden"])?;
    tray.see_icon("attention").await?;
    until_ready("the first attempt", || {
        Ok(app.log().contains("could not show a notification").then_some(()))
    })
    .await?;

    let notifications = NotificationServer::start(desktop.bus()?).await?;
    notifications.see("needs you to sign in again").await?;
    assert_eq!(notifications.shown().len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_icons_color_matches_the_panel() -> Result<()> {
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let portal = Portal::start(desktop.bus()?, ColorScheme::Light).await?;
    let _app = App::start_with(&desktop, &["--hidden"], &[("XDG_CURRENT_DESKTOP", "KDE")])?;
    tray.see_icon("idle-light").await?;
    portal.set(ColorScheme::Dark).await?;
    tray.see_icon("idle-dark").await?;
    portal.set(ColorScheme::NoPreference).await?;
    tray.see_icon("idle-any").await?;
    Ok(())
}

#[tokio::test]
async fn the_runtime_folder_is_private_even_if_the_tray_icon_is_shown_before_the_engine_starts() -> Result<()>
{
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    configure_notes(&desktop, &demo)?;
    // The app runs `xdg-mime` to register its links before it starts the engine.
    let unblock = desktop.folder("cache").join("unblock");
    let wait =
        format!("#!/bin/sh\nwhile [ ! -e '{}' ] && [ -e \"$0\" ]; do sleep 0.02; done\n", unblock.display());
    desktop.install_script("xdg-mime", &wait)?;
    let _app = App::start(&desktop, &["--hidden"])?;
    tray.see_icon("working").await?;
    std::fs::write(&unblock, "")?;
    tray.see_item("Sign in to").await?;

    let folder = std::fs::metadata(desktop.folder("run").join("usher"))?;
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    Ok(())
}
