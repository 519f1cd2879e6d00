//! The Debian package on this machine, from its installation to its removal.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{Browser, Desktop, LaunchedApp, Page, Window, WindowOptions, steps};

use crate::machine::{Installed, SystemState};
use crate::package::{Package, run};

/// The entry in the desktop's menu.
pub const ENTRY: &str = "/usr/share/applications/Usher.desktop";

#[tokio::test]
async fn installed_started_by_its_entry_and_by_a_link_and_removed() -> Result<()> {
    let before = SystemState::read()?;
    let installed = Installed::install(&Package::find()?)?;
    let added = SystemState::read()?;
    assert!(added.types.contains("x-scheme-handler/dev.usher.desktop=Usher.desktop;"), "{}", added.types);

    let desktop = Desktop::start().await?;
    usher_is_the_handler_of_its_links(&desktop)?;
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut browser = Browser::install(&desktop)?;
    // Every file is as it was in the package.
    assert_eq!(run(desktop.command("dpkg").args(["--verify", "usher"]))?, "");
    run(desktop.command("/usr/bin/usher").args(["add", "notes", demo.url().as_str()]))?;

    // Open by the desktop entry, sign in, close the window.
    let window = open_by_entry(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    steps::allow(&consent, &window).await?;
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
    let window = open_by_entry(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    close(window, &desktop).await?;

    // The callback starts the app, which completes the sign-in.
    consent.press("#allow").await?;
    let app = LaunchedApp::wait(&desktop).await?;
    until_ready("the sign-in to be stored", TIMEOUT, || {
        Ok(desktop.stored_secrets()?.contains("label = Usher: notes\n").then_some(()))
    })
    .await?;
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
    only_user_data_is_left(&desktop)
}

/// Checks the default handler as two kinds of desktop look it up: through gio, and through xdg-utils alone.
fn usher_is_the_handler_of_its_links(desktop: &Desktop) -> Result<()> {
    for kind in ["GNOME", ""] {
        let mut xdg_mime = desktop.command("xdg-mime");
        xdg_mime.env("XDG_CURRENT_DESKTOP", kind);
        let handler = run(xdg_mime.args(["query", "default", "x-scheme-handler/dev.usher.desktop"]))?;
        assert_eq!(handler.trim(), "Usher.desktop", "on a desktop called “{kind}”");
    }
    Ok(())
}

/// Opens the app by its desktop entry, as the menu does. The app inherits the WebDriver's environment variables.
pub async fn open_by_entry(desktop: &Desktop) -> Result<Window> {
    // The driver treats the exit of the program that it started as the app's exit, so the script keeps running.
    let script = format!("#!/bin/sh\ngio launch {ENTRY} && exec sleep infinity\n");
    let program = desktop.install_script("double-click", &script)?;
    Window::open_with(desktop, WindowOptions { program: Some(program), ..WindowOptions::default() }).await
}

/// Closes the window, which quits the app because there is no tray.
pub async fn close(window: Window, desktop: &Desktop) -> Result<()> {
    window.close().await?;
    LaunchedApp::wait_until_gone(desktop).await
}

/// Checks that `mcp.json` is kept, and that no entry of ours is left that would start the removed program.
fn only_user_data_is_left(desktop: &Desktop) -> Result<()> {
    let config = std::fs::read_to_string(desktop.config_file()).context("mcp.json is gone")?;
    assert!(config.contains("notes"), "{config}");
    let mut files = Vec::new();
    for folder in ["config", "data", "home", "state"] {
        list_files(&desktop.folder(folder), &mut files)?;
    }
    let entries: Vec<_> = files
        .iter()
        .filter(|file| {
            file.extension().is_some_and(|extension| extension == "desktop" || extension == "list")
        })
        .filter(|file| {
            std::fs::read_to_string(file)
                .is_ok_and(|text| text.contains("usher-desktop") || text.contains("dev.usher"))
        })
        .collect();
    assert!(entries.is_empty(), "{entries:?}");
    Ok(())
}

fn list_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => list_files(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}
