//! The Debian package on this machine, from its installation to its removal.

use std::path::Path;

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Browser, Desktop, LaunchedApp, Page, Window, WindowOptions, steps};
use walkdir::WalkDir;

use crate::machine::{Installed, SystemState};
use crate::package::{Package, run};

/// The entry in the desktop's menu.
pub const ENTRY: &str = "/usr/share/applications/Usher.desktop";

#[tokio::test]
async fn the_installed_app_starts_by_its_entry_and_by_a_link_and_its_removal_leaves_nothing_behind()
-> Result<()> {
    let before = SystemState::read()?;
    let installed = Installed::install(&Package::find()?)?;
    let added = SystemState::read()?;
    assert!(added.types.contains("x-scheme-handler/dev.usher.desktop=Usher.desktop;"), "{}", added.types);

    let desktop = Desktop::start().await?;
    check_link_handler(&desktop)?;
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut browser = Browser::install(&desktop)?;
    // Every file is as it was in the package.
    assert_eq!(run(desktop.command("dpkg").args(["--verify", "usher"]))?, "");
    run(desktop.command("/usr/bin/usher").args(["add", "notes", demo.url().as_str()]))?;

    // Open by the desktop entry, sign in, close the window.
    let window = open_notes_by_entry(&desktop).await?;
    steps::sign_in(&window, &mut browser).await?;
    assert!(desktop.stored_secrets()?.contains("label = Usher: notes\n"));
    let app = desktop.bus()?.owner_pid(LaunchedApp::BUS_NAME)?;
    let program = std::fs::read_link(format!("/proc/{}/exe", app.as_raw_nonzero()))?;
    assert_eq!(program, Path::new("/usr/bin/usher-desktop"));
    // The desktop finds the window's entry and icon by the window's class.
    let windows = run(desktop.command("xwininfo").args(["-root", "-tree"]))?;
    assert!(windows.contains("\"Usher\": (\"usher-desktop\" "), "{windows}");
    assert!(std::fs::read_to_string(ENTRY)?.contains("\nStartupWMClass=usher-desktop\n"));
    close(window, &desktop).await?;

    // Sign out with the command, begin a sign-in, and close the app while it waits.
    run(desktop.command("/usr/bin/usher").args(["logout", "notes"]))?;
    assert!(!desktop.stored_secrets()?.contains("label = Usher: notes\n"));
    let window = open_notes_by_entry(&desktop).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    close(window, &desktop).await?;

    // The callback starts the app, which completes the sign-in.
    consent.press("#allow").await?;
    let app = LaunchedApp::wait(&desktop).await?;
    desktop.until_stored("notes").await?;
    assert_eq!(demo.token_requests("authorization_code"), 2);
    app.stop(&desktop).await?;
    drop(browser);

    installed.purge()?;
    let after = SystemState::read()?;
    let left: Vec<_> = after.files.difference(&before.files).collect();
    assert!(left.is_empty(), "the package left {left:?}");
    let lost: Vec<_> = before.files.difference(&after.files).collect();
    assert!(lost.is_empty(), "the package removed {lost:?}");
    assert_eq!(after.types, before.types);
    assert!(!Installed::is_known()?);
    check_only_user_data_is_left(&desktop)
}

/// Checks that Usher is the default handler of its links on two kinds of desktop: with gio, and with xdg-utils alone.
fn check_link_handler(desktop: &Desktop) -> Result<()> {
    for kind in ["GNOME", ""] {
        let mut xdg_mime = desktop.command("xdg-mime");
        xdg_mime.env("XDG_CURRENT_DESKTOP", kind);
        let handler = run(xdg_mime.args(["query", "default", "x-scheme-handler/dev.usher.desktop"]))?;
        assert_eq!(handler.trim(), "Usher.desktop", "on a desktop called “{kind}”");
    }
    Ok(())
}

/// Opens the app by its desktop entry, as the menu does, and shows the page of "notes". The app inherits the
/// WebDriver's environment variables.
pub async fn open_notes_by_entry(desktop: &Desktop) -> Result<Window> {
    // The driver treats the exit of the program that it started as the app's exit, so the script keeps running.
    // The tests look at the program of the process.
    let script = format!("#!/bin/sh\nUSHER_ALLOW_DEBUGGER=1 gio launch {ENTRY} && exec sleep infinity\n");
    let program = desktop.install_script("double-click", &script)?;
    let options = WindowOptions { program: Some(program), ..WindowOptions::default() };
    let window = Window::open_with(desktop, options).await?;
    window.page().press(&Page::id("server-notes")).await?;
    Ok(window)
}

/// Closes the window, which quits the app because there is no tray.
pub async fn close(window: Window, desktop: &Desktop) -> Result<()> {
    window.close().await?;
    LaunchedApp::wait_until_gone(desktop).await
}

/// Checks that `mcp.json` is left, and that no entry is left that would start the removed program.
fn check_only_user_data_is_left(desktop: &Desktop) -> Result<()> {
    let config = std::fs::read_to_string(desktop.config_file()).context("mcp.json is gone")?;
    assert!(config.contains("notes"), "{config}");
    for folder in ["config", "data", "home", "state"] {
        for entry in WalkDir::new(desktop.folder(folder)) {
            let file = entry?.into_path();
            let is_entry =
                file.extension().is_some_and(|extension| extension == "desktop" || extension == "list");
            if is_entry && let Ok(text) = std::fs::read_to_string(&file) {
                let is_ours = text.contains("usher-desktop") || text.contains("dev.usher");
                assert!(!is_ours, "{}", file.display());
            }
        }
    }
    Ok(())
}
