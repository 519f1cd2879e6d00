//! Brings the app into the tray, once by a hidden start and once by closing its window, and starts a bare runtime on
//! the same desktop. `cargo xtask bench` measures: for each of them a line `NAME PID` is written, and the next line of
//! the standard input ends it.

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
    let windows = Windows::of(desktop.display()?)?;

    let hidden = App::start(&desktop, &["--hidden"])?;
    tray.see("well").await?;
    measured("hidden", hidden.id()).await?;
    drop(hidden);

    let closed = App::start(&desktop, &[])?;
    windows.close(windows.see(TITLE).await?)?;
    windows.see_gone(TITLE).await?;
    measured("closed", closed.id()).await?;
    drop(closed);

    let mut command = desktop.command(bare);
    let bare = Process::start(command.arg("--without-window").stdout(Stdio::null()).stderr(Stdio::null()))?;
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
