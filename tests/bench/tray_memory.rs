//! Brings the app into the tray, once by a hidden start and once by closing its window, and starts a bare runtime on
//! the same desktop. `cargo xtask bench` measures: for each of them a line `NAME PID` is written, and the next line of
//! the standard input ends it.
//!
//! Where the memory goes (WebKitGTK 2.50, release builds, a graphics card that is a program, nobody else on the machine
//! who shares the libraries): the bare runtime 44 MB, a hidden start 64 MB, a closed window 140 MB. The 20 MB of the first
//! step are the engine and our own program. Of the 76 MB of the second, 33 MB are the web engine's network process: it
//! lives as long as the app, nothing in its interface ends it, and Tauri keeps its context on purpose, since a new one for
//! each window would leave one such process behind each time. 28 MB are the card's driver, which the web engine asks for
//! its devices whenever it loads a page, also one that it draws without them. The rest are pages of the web engine's own
//! libraries. The web process itself ends with the window, and the heap grows by less than a megabyte.
//!
//! Most of it are pages of files, which other programs share and the system takes back. Memory of their own: the bare
//! runtime 11 MB, a hidden start 17 MB, a closed window 29 MB and its network process 11 MB.

use std::io::BufRead;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use usher_tests::{App, Desktop, NotificationServer, Process, TrayHost, Windows};

const TITLE: &str = "Usher";
/// What a program does after its start (reading ahead, freeing) is over by then.
const SETTLE: Duration = Duration::from_secs(3);

#[derive(Parser)]
struct Arguments {
    /// The program that opens no window: the bare runtime
    bare: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { bare } = Arguments::parse();
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let _notifications = NotificationServer::start(desktop.bus()?).await?;
    let windows = Windows::connect(desktop.display()?)?;
    let start_bare = || {
        let mut command = desktop.command(&bare);
        Process::start(command.arg("--without-window").stdout(Stdio::null()).stderr(Stdio::null()))
    };

    // The first GTK program on a screen loads the card's driver to learn how the screen shows pictures, and leaves the
    // answer there for all others: some 30 MB that are nobody's whom we measure.
    let first = start_bare()?;
    tokio::time::sleep(SETTLE).await;
    drop(first);

    let hidden = App::start(&desktop, &["--hidden"])?;
    tray.see_icon("well").await?;
    measured("hidden", hidden.id()).await?;
    drop(hidden);

    let closed = App::start(&desktop, &[])?;
    windows.close(windows.see(TITLE).await?)?;
    windows.see_gone(TITLE).await?;
    measured("closed", closed.id()).await?;
    drop(closed);

    let bare = start_bare()?;
    measured("bare", bare.id()).await
}

/// Leaves the program alone until it has been measured.
async fn measured(name: &str, pid: u32) -> Result<()> {
    tokio::time::sleep(SETTLE).await;
    println!("{name} {pid}");
    let line = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next());
    line.await?.context("nobody measures any more")??;
    Ok(())
}
