//! An upgrade while the app runs, and a removal: what stays of the person's own.

use std::path::Path;

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Browser, Desktop, Page, StartedBySystem, walk};

use crate::life::{begin_sign_in, close, open_by_entry};
use crate::machine::Installed;
use crate::package::{Package, said};

// The demo answers on a thread of its own while the test waits for a command that asks it.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_takes_nothing_from_the_app_that_runs_nor_a_removal_from_the_person() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let package = Package::find()?;
    let installed = Installed::install(&package.earlier("0.0.1", folder.path())?)?;
    assert_eq!(installed.version()?, "0.0.1");
    let desktop = Desktop::start().await?;
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut browser = Browser::install(&desktop)?;
    said(desktop.command("/usr/bin/usher").args(["add", "notes", demo.url().as_str()]))?;
    let window = open_by_entry(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await?;

    // The program is replaced under the app, which goes on: the new command and the entry reach it.
    installed.upgrade(&package)?;
    assert_ne!(installed.version()?, "0.0.1");
    let running = desktop.bus()?.process_of(StartedBySystem::NAME)?;
    assert!(tools(&desktop)?.contains("search_pages"));
    said(desktop.command("gio").args(["launch", crate::life::ENTRY]))?;
    window.page().see(&walk::state("connected")).await?;
    assert_eq!(desktop.bus()?.process_of(StartedBySystem::NAME)?, running);
    // What it is asked for now is about the program that is there, not about the one that is gone.
    window.page().press(&Page::id("settings")).await?;
    window.page().press(&Page::id("autostart")).await?;
    window.page().see("[data-testid=\"autostart\"]:checked").await?;
    let entry = desktop.folder("config").join("autostart/dev.usher.desktop.desktop");
    let at_login = std::fs::read_to_string(&entry)?;
    assert!(at_login.contains("\nExec=/usr/bin/usher-desktop --hidden\n"), "{at_login}");
    close(window, &desktop).await?;

    // The next start is the new program's, with the sign-in of before.
    let window = open_by_entry(&desktop).await?;
    let app = desktop.bus()?.process_of(StartedBySystem::NAME)?;
    let program = std::fs::read_link(format!("/proc/{}/exe", app.as_raw_nonzero()))?;
    assert_eq!(program, Path::new("/usr/bin/usher-desktop"));
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&walk::state("connected")).await?;
    close(window, &desktop).await?;

    // Removed and installed again: signed in, as before.
    installed.purge()?;
    let own = std::fs::read_to_string(desktop.config_file()).context("the list of servers is gone")?;
    assert!(own.contains("notes"), "{own}");
    assert!(desktop.stored_secrets()?.contains("label = Usher: notes\n"));
    // The start at login stays as the person's own, and desktops pass over it: the program that it asks for is gone.
    let tried = at_login.lines().find_map(|line| line.strip_prefix("TryExec=")).context("no TryExec")?;
    assert!(entry.exists());
    assert!(!Path::new(tried).exists(), "{tried}");
    let again = Installed::install(&package)?;
    assert!(tools(&desktop)?.contains("search_pages"));
    assert_eq!(demo.token_requests("authorization_code"), 1);
    again.purge()
}

fn tools(desktop: &Desktop) -> Result<String> {
    said(desktop.command("/usr/bin/usher").args(["tools", "notes"]))
}
