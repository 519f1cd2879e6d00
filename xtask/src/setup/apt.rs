//! Debian packages, installed by apt. On other Linux systems, the setup fails with their names if WebKitGTK is missing.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{INSTALL_DEADLINE, announce};
use crate::command;
use crate::repository::Repository;

/// The packages needed to build the app, and to run it (the tray library, `xdg-mime`, `gio`).
const APP: &[&str] = &[
    "build-essential",
    "desktop-file-utils",
    "libayatana-appindicator3-1",
    "libdbus-1-dev",
    "libglib2.0-bin",
    "librsvg2-dev",
    "libwebkit2gtk-4.1-dev",
    "pkg-config",
    "xdg-utils",
];

/// The programs and libraries of a virtual desktop, with their packages. The tests check first that each is installed.
const DESKTOP: &str = include_str!("../../desktop-packages.txt");

/// The other packages of a virtual desktop: the client that the benchmarks compare with, the icon theme, manuals,
/// certificates for TLS tests, keys of the X server.
const DESKTOP_EXTRAS: &[&str] = &["curl", "hicolor-icon-theme", "man-db", "openssl", "xauth"];

/// The packages of the tools that inspect Usher's own packages, and of Python for the programs in the tests.
const TEST_TOOLS: &[&str] = &["appstream", "python3-venv", "rpm"];

/// How long to wait while another program holds apt's lock.
const LOCK_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// The packages to install, sorted. `desktop` adds a virtual desktop, `tests` the tools of the package tests.
pub fn packages(desktop: bool, tests: bool) -> Vec<&'static str> {
    let mut packages = APP.to_vec();
    if desktop {
        packages.extend(desktop_packages());
        packages.extend(DESKTOP_EXTRAS);
    }
    if tests {
        packages.extend(TEST_TOOLS);
    }
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// Returns the last column of the list.
fn desktop_packages() -> impl Iterator<Item = &'static str> {
    let lines = DESKTOP.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().last())
}

pub fn set_up(repository: &Repository, packages: &[&'static str]) -> Result<()> {
    if !is_debian() {
        return print_packages(repository, packages);
    }
    let missing = missing(repository, packages);
    if missing.is_empty() {
        return Ok(());
    }
    announce(&format!("Debian packages: {}", missing.join(" ")));
    apt(repository, &["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    apt(repository, &install)
}

fn is_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    release.lines().any(|line| {
        line.strip_prefix("ID=")
            .or_else(|| line.strip_prefix("ID_LIKE="))
            .is_some_and(|ids| ids.trim_matches('"').split(' ').any(|id| id == "debian" || id == "ubuntu"))
    })
}

/// Fails with the package names if WebKitGTK is missing on a Linux system other than Debian.
fn print_packages(repository: &Repository, packages: &[&str]) -> Result<()> {
    if cfg!(any(target_os = "macos", windows)) {
        // The web view is part of these systems, and cargo names a missing compiler.
        return Ok(());
    }
    let has_web_view =
        command::try_output(repository.command("pkg-config").args(["--exists", "webkit2gtk-4.1"]));
    if has_web_view.is_none() {
        bail!(
            "this system is not Debian: install its equivalents of {} (see https://v2.tauri.app/start/prerequisites/)",
            packages.join(", ")
        );
    }
    Ok(())
}

fn missing(repository: &Repository, packages: &[&'static str]) -> Vec<&'static str> {
    // dpkg-query exits with 1 if a package is unknown, and still lists the others.
    let listed = repository
        .command("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(packages)
        .stderr(Stdio::null())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    not_installed(&listed, packages)
}

fn not_installed(listed: &str, packages: &[&'static str]) -> Vec<&'static str> {
    let installed = |package: &&str| listed.lines().any(|line| line == format!("{package} installed"));
    packages.iter().copied().filter(|package| !installed(package)).collect()
}

/// Runs apt-get as root. apt itself waits for dpkg's lock, but not for the lock of the package lists.
fn apt(repository: &Repository, arguments: &[&str]) -> Result<()> {
    let started = Instant::now();
    loop {
        let mut apt = as_root(repository, "apt-get");
        apt.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", "--quiet"]).args(arguments);
        let Err(locked) = run_unless_locked(&mut apt)? else { return Ok(()) };
        if started.elapsed() > LOCK_DEADLINE {
            bail!("another program held apt's lock for five minutes: {locked}");
        }
        announce("another program holds apt's lock; waiting");
        thread::sleep(Duration::from_secs(3));
    }
}

/// Runs apt. The inner error is apt's message about a lock that another program holds.
fn run_unless_locked(apt: &mut Command) -> Result<Result<(), String>> {
    let mut child = apt
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C")
        .spawn()
        .with_context(|| format!("start {}", command::display(apt)))?;
    let stderr = child.stderr.take().context("apt's error stream")?;
    let reader = thread::spawn(move || {
        let mut lock_line = None;
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // If our own stderr is closed, the installation still continues.
            let _ = writeln!(std::io::stderr(), "{line}");
            if line.contains("Could not get lock") {
                lock_line = Some(line);
            }
        }
        lock_line
    });
    let status = command::wait(&mut child, INSTALL_DEADLINE).with_context(|| command::display(apt))?;
    let lock_line = reader.join().ok().flatten();
    match lock_line {
        _ if status.success() => Ok(Ok(())),
        Some(line) => Ok(Err(line)),
        None => bail!("{} failed ({status})", command::display(apt)),
    }
}

/// Returns a command that runs as root, through sudo if necessary. sudo asks for a password only in a terminal.
fn as_root(repository: &Repository, program: &str) -> Command {
    let is_root = command::try_output(repository.command("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if is_root {
        return repository.command(program);
    }
    let mut sudo = repository.command("sudo");
    if !std::io::stdin().is_terminal() {
        sudo.arg("--non-interactive");
    }
    // sudo drops the environment, so the variables that prevent questions are set again.
    sudo.args(["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", program]);
    sudo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fully_installed_package_counts() {
        let listed = "xvfb installed\nopenbox config-files\nchromium half-installed\n";
        assert_eq!(
            not_installed(listed, &["xvfb", "openbox", "chromium", "dbus"]),
            ["openbox", "chromium", "dbus"]
        );
    }

    #[test]
    fn a_machine_with_a_display_needs_no_virtual_desktop() {
        assert!(!packages(false, false).contains(&"xvfb"));
        assert!(packages(true, false).contains(&"xvfb"));
        assert!(packages(true, true).contains(&"libwebkit2gtk-4.1-dev"));
    }

    #[test]
    fn only_the_tests_need_package_tools() {
        assert!(!packages(true, false).contains(&"rpm"));
        assert!(packages(true, true).contains(&"rpm"));
    }
}
