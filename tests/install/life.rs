//! The package on this machine, from its installation to its removal.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{Browser, Desktop, Page, StartedBySystem, Window, WindowOptions, walk};

use crate::machine::{Installed, Machine};
use crate::package::{Package, said};

/// In the menu.
pub const ENTRY: &str = "/usr/share/applications/Usher.desktop";

#[tokio::test]
async fn installed_started_by_its_entry_and_by_a_link_and_removed() -> Result<()> {
    let before = Machine::look()?;
    let installed = Installed::install(&Package::find()?)?;
    let added = Machine::look()?;
    assert!(added.types.contains("x-scheme-handler/dev.usher.desktop=Usher.desktop;"), "{}", added.types);

    let desktop = Desktop::start().await?;
    links_are_for_usher(&desktop)?;
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut browser = Browser::install(&desktop)?;
    // Every file is as it was packed.
    assert_eq!(said(desktop.command("dpkg").args(["--verify", "usher"]))?, "");
    said(desktop.command("/usr/bin/usher").args(["add", "notes", demo.url().as_str()]))?;

    // A double click, a sign-in, and the window closed.
    let window = open_by_entry(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await?;
    assert!(desktop.stored_secrets()?.contains("label = Usher: notes\n"));
    let app = desktop.bus()?.process_of(StartedBySystem::NAME)?;
    let program = std::fs::read_link(format!("/proc/{}/exe", app.as_raw_nonzero()))?;
    assert_eq!(program, Path::new("/usr/bin/usher-desktop"));
    // By its class the desktop tells that the window belongs to the entry: the entry's icon stands for it.
    let windows = said(desktop.command("xwininfo").args(["-root", "-tree"]))?;
    assert!(windows.contains("\"Usher\": (\"usher-desktop\" "), "{windows}");
    assert!(std::fs::read_to_string(ENTRY)?.contains("\nStartupWMClass=usher-desktop\n"));
    close(window, &desktop).await?;

    // Signed out by the command, and a sign-in that waits while the app ends.
    said(desktop.command("/usr/bin/usher").args(["logout", "notes"]))?;
    assert!(!desktop.stored_secrets()?.contains("label = Usher: notes\n"));
    let window = open_by_entry(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    close(window, &desktop).await?;

    // The link starts the app, which finishes it.
    consent.press("#allow").await?;
    let app = StartedBySystem::wait(&desktop).await?;
    until_ready("the sign-in to be kept", PATIENCE, || {
        Ok(desktop.stored_secrets()?.contains("label = Usher: notes\n").then_some(()))
    })
    .await?;
    assert_eq!(demo.token_requests("authorization_code"), 2);
    app.end(&desktop).await?;
    drop(browser);

    installed.purge()?;
    let after = Machine::look()?;
    let rests: Vec<_> = after.files.difference(&before.files).collect();
    assert!(rests.is_empty(), "the package left {rests:?}");
    let lost: Vec<_> = before.files.difference(&after.files).collect();
    assert!(lost.is_empty(), "the package took {lost:?} with it");
    assert_eq!(after.types, before.types);
    assert!(!Installed::is_known()?);
    only_the_persons_own_is_left(&desktop)
}

/// Asked as two kinds of desktop ask: by gio, and by xdg-utils alone.
fn links_are_for_usher(desktop: &Desktop) -> Result<()> {
    for kind in ["GNOME", ""] {
        let mut ask = desktop.command("xdg-mime");
        ask.env("XDG_CURRENT_DESKTOP", kind);
        let handler = said(ask.args(["query", "default", "x-scheme-handler/dev.usher.desktop"]))?;
        assert_eq!(handler.trim(), "Usher.desktop", "on a desktop called “{kind}”");
    }
    Ok(())
}

/// What a double click in the menu does. The WebDriver's variables go through to the app.
pub async fn open_by_entry(desktop: &Desktop) -> Result<Window> {
    // The driver takes the end of what it started for the app's end: the script stays until it is ended.
    let script = format!("#!/bin/sh\ngio launch {ENTRY} && exec sleep infinity\n");
    let program = desktop.install_script("double-click", &script)?;
    Window::open_with(desktop, WindowOptions { program: Some(program), ..WindowOptions::default() }).await
}

/// Up to the consent page.
pub async fn begin_sign_in(window: &Window, browser: &mut Browser) -> Result<Page> {
    window.page().press(&Page::id("sign-in")).await?;
    window.page().see(&Page::id("waiting")).await?;
    walk::consent(browser).await
}

/// Closes the window; without a tray that ends the app.
pub async fn close(window: Window, desktop: &Desktop) -> Result<()> {
    window.close().await?;
    StartedBySystem::wait_until_gone(desktop).await
}

/// The list of servers stays, and nothing of ours is left that starts a program which is gone.
fn only_the_persons_own_is_left(desktop: &Desktop) -> Result<()> {
    let own = std::fs::read_to_string(desktop.config_file()).context("the list of servers is gone")?;
    assert!(own.contains("notes"), "{own}");
    let mut files = Vec::new();
    for folder in ["config", "data", "home", "state"] {
        walk_files(&desktop.folder(folder), &mut files)?;
    }
    let starters: Vec<_> = files
        .iter()
        .filter(|file| {
            file.extension().is_some_and(|extension| extension == "desktop" || extension == "list")
        })
        .filter(|file| {
            std::fs::read_to_string(file)
                .is_ok_and(|text| text.contains("usher-desktop") || text.contains("dev.usher"))
        })
        .collect();
    assert!(starters.is_empty(), "{starters:?}");
    Ok(())
}

fn walk_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => walk_files(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}
