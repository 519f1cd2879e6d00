//! An upgrade while the app is running, then a removal that keeps the user's data.

use std::path::Path;

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Browser, Desktop, LaunchedApp, Page, steps};

use crate::lifecycle::{close, open_notes_by_entry};
use crate::machine::Installed;
use crate::package::{Package, run};

// The demo needs its own thread, because the test blocks on commands that send requests to it.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_keeps_the_running_app_working_and_a_removal_keeps_user_data() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let package = Package::find()?;
    let installed = Installed::install(&package.with_version("0.0.1", folder.path())?)?;
    assert_eq!(installed.version()?, "0.0.1");
    let desktop = Desktop::start().await?;
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut browser = Browser::install(&desktop)?;
    run(desktop.command("/usr/bin/usher").args(["add", "notes", demo.url().as_str()]))?;
    let window = open_notes_by_entry(&desktop).await?;
    steps::sign_in(&window, &mut browser).await?;

    // The running app continues when its program is replaced. The new command and the entry still reach it.
    installed.upgrade(&package)?;
    assert_ne!(installed.version()?, "0.0.1");
    let running = desktop.bus()?.owner_pid(LaunchedApp::BUS_NAME)?;
    assert!(tools(&desktop)?.contains("search_pages"));
    run(desktop.command("gio").args(["launch", crate::lifecycle::ENTRY]))?;
    window.page().see(&Page::status("connected")).await?;
    assert_eq!(desktop.bus()?.owner_pid(LaunchedApp::BUS_NAME)?, running);
    // The autostart entry starts the new program, not the deleted one.
    window.page().press(&Page::id("settings")).await?;
    window.page().press(&Page::id("autostart")).await?;
    window.page().see("[data-testid=\"autostart\"]:checked").await?;
    let entry = desktop.folder("config").join("autostart/dev.usher.desktop.desktop");
    let at_login = std::fs::read_to_string(&entry)?;
    assert!(at_login.contains("\nExec=/usr/bin/usher-desktop --hidden\n"), "{at_login}");
    close(window, &desktop).await?;

    // The next start runs the new program and keeps the sign-in.
    let window = open_notes_by_entry(&desktop).await?;
    let app = desktop.bus()?.owner_pid(LaunchedApp::BUS_NAME)?;
    let program = std::fs::read_link(format!("/proc/{}/exe", app.as_raw_nonzero()))?;
    assert_eq!(program, Path::new("/usr/bin/usher-desktop"));
    window.page().see(&Page::status("connected")).await?;
    close(window, &desktop).await?;

    // The sign-in also survives a removal and a new installation.
    installed.purge()?;
    let config = std::fs::read_to_string(desktop.config_file()).context("mcp.json is gone")?;
    assert!(config.contains("notes"), "{config}");
    assert!(desktop.stored_secrets()?.contains("label = Usher: notes\n"));
    // The autostart entry is kept as user data. Desktops ignore it, because the program in its TryExec is gone.
    let program = at_login.lines().find_map(|line| line.strip_prefix("TryExec=")).context("no TryExec")?;
    assert!(entry.exists());
    assert!(!Path::new(program).exists(), "{program}");
    let again = Installed::install(&package)?;
    assert!(tools(&desktop)?.contains("search_pages"));
    assert_eq!(demo.token_requests("authorization_code"), 1);
    again.purge()
}

fn tools(desktop: &Desktop) -> Result<String> {
    run(desktop.command("/usr/bin/usher").args(["tools", "notes"]))
}
