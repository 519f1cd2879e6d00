//! A virtual desktop for the windows: a display, a session bus, a keychain and an empty home.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command;
use crate::repository::Repository;

/// Measures both windows on a virtual desktop, by running this program under `xvfb-run` and `dbus-run-session`.
pub fn measure_windows(repository: &Repository, runs: u32) -> Result<PathBuf> {
    println!("bench: opening each window {runs} times");
    let results = repository.target("bench/windows.json");
    let home = repository.target("bench/home");
    let mut measure = repository.command("xvfb-run");
    measure.args(["--auto-servernum", "--server-args=-screen 0 1400x1000x24", "dbus-run-session", "--"]);
    // Not `current_exe`, which is invalid if the build has replaced the file of the running program.
    measure.arg(repository.built("debug", "usher-xtask"));
    measure.args(["bench", "--runs", &runs.to_string(), "--windows-into"]).arg(&results);
    set_empty_home(&mut measure, &home)?;
    command::run(&mut measure, Duration::from_secs(60 * u64::from(runs.max(1))))?;
    Ok(results)
}

/// Sets an empty home folder for a command.
fn set_empty_home(command: &mut Command, home: &Path) -> Result<()> {
    if home.exists() {
        fs::remove_dir_all(home).context("delete the home of the last measurement")?;
    }
    let folders = [
        ("HOME", ""),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_RUNTIME_DIR", "run"),
    ];
    for (variable, folder) in folders {
        let path = home.join(folder);
        fs::create_dir_all(&path).context("create a home")?;
        #[cfg(unix)]
        make_private(&path)?;
        command.env(variable, path);
    }
    command.env_remove("WAYLAND_DISPLAY").env("GDK_BACKEND", "x11");
    Ok(())
}

/// Programs require that the runtime folder is private.
#[cfg(unix)]
fn make_private(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).context("make the home private")
}

/// Starts an unlocked keychain on the session bus.
pub fn unlock_keychain() -> Result<()> {
    let mut daemon = Command::new("gnome-keyring-daemon")
        .args(["--unlock", "--components=secrets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("start gnome-keyring-daemon")?;
    // A new keychain accepts any password that is not empty. The daemon continues in the background.
    daemon
        .stdin
        .take()
        .context("the daemon has no stdin")?
        .write_all(b"bench")
        .context("unlock the keychain")?;
    command::wait(&mut daemon, Duration::from_secs(10)).context("unlock the keychain")?;
    Ok(())
}
