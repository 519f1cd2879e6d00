//! Brings the app into the tray, once by a hidden start and once by closing its window. Then starts a bare runtime on
//! the same desktop. For each of the three processes, prints a line `NAME PID` for `cargo xtask bench`, which measures
//! the process. The next line on stdin ends the process.
//!
//! The memory was measured with WebKitGTK 2.50, release builds, a software renderer, and no other program that shares
//! the libraries:
//!
//! - The bare runtime needs 44 MB.
//! - A hidden start needs 64 MB. The additional 20 MB are the engine and our own program.
//! - A closed window needs 140 MB. Of the additional 76 MB, 33 MB are WebKit's network process. It lives as long as the
//!   app, because no API ends it. Tauri reuses the web context, because each new one would leave another network
//!   process. The graphics driver adds 28 MB, because WebKit loads it even for a page drawn without it. The rest are
//!   pages of WebKit's libraries. The web process ends with the window, and the heap grows by less than 1 MB.
//!
//! Most of the memory is file pages, which are shared with other programs and can be reclaimed. The private memory is
//! 11 MB for the bare runtime, 17 MB for a hidden start, and 29 MB plus 11 MB of the network process for a closed
//! window.

use std::io::BufRead;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use usher_tests::{App, Desktop, NotificationServer, Process, TrayHost, Windows};

const TITLE: &str = "Usher";
/// The time that a program needs to finish its work after the start, such as reading ahead.
const SETTLE: Duration = Duration::from_secs(3);

#[derive(clap::Args)]
pub struct Arguments {
    /// The bare runtime, a program that opens no window
    bare: PathBuf,
}

pub async fn run(Arguments { bare }: Arguments) -> Result<()> {
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let _notifications = NotificationServer::start(desktop.bus()?).await?;
    let windows = Windows::connect(desktop.display()?)?;
    let start_bare = || {
        let mut command = desktop.command(&bare);
        Process::start(command.arg("--without-window").stdout(Stdio::null()).stderr(Stdio::null()))
    };

    // The first GTK program on a display loads the graphics driver to query the display, and caches the result for all
    // others. The driver's 30 MB must not be counted.
    let first = start_bare()?;
    tokio::time::sleep(SETTLE).await;
    drop(first);

    let hidden = App::start(&desktop, &["--hidden"])?;
    tray.see_icon("idle").await?;
    wait_for_measurement("hidden", hidden.id()).await?;
    drop(hidden);

    let closed = App::start(&desktop, &[])?;
    windows.close_to_tray(TITLE).await?;
    wait_for_measurement("closed", closed.id()).await?;
    drop(closed);

    let bare = start_bare()?;
    wait_for_measurement("bare", bare.id()).await
}

/// Reports a process, and waits until it has been measured.
async fn wait_for_measurement(name: &str, pid: u32) -> Result<()> {
    tokio::time::sleep(SETTLE).await;
    println!("{name} {pid}");
    let line = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next());
    line.await?.context("stdin ended before the measurement")??;
    Ok(())
}
