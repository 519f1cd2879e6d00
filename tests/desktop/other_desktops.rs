//! Desktops that are not the usual one: a light panel, one quicker than the engine, notifications that hear no click, or
//! that come late.

use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{App, ColorScheme, Desktop, NotificationServer, Portal, TrayHost};

use crate::people::{sign_in_by_command, write_config_with};

/// A desktop on which "notes" was signed in once, and its sign-in ended while the computer was off.
async fn with_an_ended_sign_in() -> Result<(Demo, Desktop)> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    sign_in_by_command(&desktop, "notes").await?;
    demo.revoke_everything();
    Ok((demo, desktop))
}

#[tokio::test]
async fn where_clicks_are_not_heard_a_notification_promises_none() -> Result<()> {
    let (_demo, desktop) = with_an_ended_sign_in().await?;
    let _tray = TrayHost::start(desktop.bus()?).await?;
    let notifications = NotificationServer::start_with(desktop.bus()?, &["body"]).await?;
    let _app = App::start(&desktop, &["--hidden"])?;
    let told = notifications.see("needs you to sign in again").await?;
    assert_eq!(told.buttons, Vec::<String>::new(), "such desktops make a dialog of it, or drop them");
    assert!(!told.body.to_lowercase().contains("click"), "{}", told.body);
    Ok(())
}

#[tokio::test]
async fn what_nobody_could_show_is_told_when_somebody_can() -> Result<()> {
    let (_demo, desktop) = with_an_ended_sign_in().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let app = App::start(&desktop, &["--hidden"])?;
    tray.see("needs-you").await?;
    until_ready("the first try", PATIENCE, || {
        Ok(app.log().contains("a notification was not shown").then_some(()))
    })
    .await?;

    let notifications = NotificationServer::start(desktop.bus()?).await?;
    notifications.see("needs you to sign in again").await?;
    assert_eq!(notifications.shown().len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_icon_is_drawn_in_the_ink_of_its_panel() -> Result<()> {
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let portal = Portal::start(desktop.bus()?, ColorScheme::Light).await?;
    let _app = App::start_with(&desktop, &["--hidden"], &[("XDG_CURRENT_DESKTOP", "KDE")])?;
    tray.see_ink("well-light").await?;
    portal.set(ColorScheme::Dark).await?;
    tray.see_ink("well-dark").await?;
    portal.set(ColorScheme::NoPreference).await?;
    tray.see_ink("well-any").await?;
    Ok(())
}

#[tokio::test]
async fn an_icon_that_comes_before_the_engine_opens_the_engines_folder_to_nobody() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    // The engine starts after the links are registered, for which this program is run.
    let go_on = desktop.folder("cache").join("go-on");
    let wait =
        format!("#!/bin/sh\nwhile [ ! -e '{}' ] && [ -e \"$0\" ]; do sleep 0.02; done\n", go_on.display());
    desktop.install_script("xdg-mime", &wait)?;
    let _app = App::start(&desktop, &["--hidden"])?;
    tray.see("working").await?;
    std::fs::write(&go_on, "")?;
    tray.see_line("Sign in to").await?;

    let folder = std::fs::metadata(desktop.folder("run").join("usher"))?;
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    Ok(())
}
