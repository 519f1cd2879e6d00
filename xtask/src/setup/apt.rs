//! Debian packages, installed by apt. On other systems only their names are printed.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{INSTALL_DEADLINE, say};
use crate::command;
use crate::repository::Repository;

/// Needed to build the app, or by the app itself at run time (the tray library, `xdg-mime`, `gio`).
const APP: &[&str] = &[
    "build-essential",
    "desktop-file-utils",
    "libayatana-appindicator3-1",
    "libdbus-1-dev",
    "libglib2.0-bin",
    "librsvg2-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "pkg-config",
    "xdg-utils",
];

/// The programs and libraries of a desktop, with their packages. The tests look for each of them before they start.
const DESKTOP: &str = include_str!("../../desktop-packages.txt");

/// The other packages of such a desktop: the icon theme, manuals, certificates for TLS tests, keys of the X server.
const DESKTOP_EXTRAS: &[&str] = &["hicolor-icon-theme", "man-db", "openssl", "xauth"];

/// Needed to inspect the packages that we build.
const PACKAGE_TOOLS: &[&str] = &["appstream", "rpm"];

/// How long another apt may hold its locks.
const LOCK_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// The packages to install, sorted. `desktop` adds a desktop of our own, `tests` the tools of the package tests.
pub fn packages(desktop: bool, tests: bool) -> Vec<&'static str> {
    let mut packages = APP.to_vec();
    if desktop {
        packages.extend(desktop_packages());
        packages.extend(DESKTOP_EXTRAS);
    }
    if tests {
        packages.extend(PACKAGE_TOOLS);
    }
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// The last column of the list.
fn desktop_packages() -> impl Iterator<Item = &'static str> {
    let lines = DESKTOP.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().last())
}

pub fn set_up(repository: &Repository, packages: &[&'static str]) -> Result<()> {
    if !is_debian() {
        return name_what_is_needed(repository, packages);
    }
    let missing = missing(repository, packages);
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("Debian packages: {}", missing.join(" ")));
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

/// On a system that apt does not serve we can only tell; a build that lacks something will say what.
fn name_what_is_needed(repository: &Repository, packages: &[&str]) -> Result<()> {
    if cfg!(any(target_os = "macos", windows)) {
        // The system's own web view and tools serve; a missing compiler is named by cargo itself.
        return Ok(());
    }
    let has_web_view = command::answer(repository.command("pkg-config").args(["--exists", "webkit2gtk-4.1"]));
    if has_web_view.is_none() {
        bail!(
            "this system is not Debian: please install what its packages {} are called here (see https://v2.tauri.app/start/prerequisites/)",
            packages.join(", ")
        );
    }
    Ok(())
}

fn missing(repository: &Repository, packages: &[&'static str]) -> Vec<&'static str> {
    // dpkg-query exits with 1 when it does not know one of them, and lists the others all the same.
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

/// Runs apt-get as root, and waits for its locks: apt waits by itself for dpkg's, but not for that of the lists.
fn apt(repository: &Repository, arguments: &[&str]) -> Result<()> {
    let started = Instant::now();
    loop {
        let mut apt = as_root(repository, "apt-get");
        apt.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", "--quiet"]).args(arguments);
        let Err(locked) = run_unless_locked(&mut apt)? else { return Ok(()) };
        if started.elapsed() > LOCK_DEADLINE {
            bail!("another program held apt's lock for five minutes: {locked}");
        }
        say("another program holds apt's lock; waiting");
        thread::sleep(Duration::from_secs(3));
    }
}

/// The inner error is apt's own line about a lock that somebody else holds.
fn run_unless_locked(apt: &mut Command) -> Result<Result<(), String>> {
    let mut child = apt
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C")
        .spawn()
        .with_context(|| format!("start {}", command::words(apt)))?;
    let stderr = child.stderr.take().context("apt's error stream")?;
    let reader = thread::spawn(move || {
        let mut lock_line = None;
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // A closed error stream of our own is no reason to stop an installation half way.
            let _ = writeln!(std::io::stderr(), "{line}");
            if line.contains("Could not get lock") {
                lock_line = Some(line);
            }
        }
        lock_line
    });
    let status = command::wait(&mut child, INSTALL_DEADLINE).with_context(|| command::words(apt))?;
    let lock_line = reader.join().ok().flatten();
    match lock_line {
        _ if status.success() => Ok(Ok(())),
        Some(line) => Ok(Err(line)),
        None => bail!("{} failed ({status})", command::words(apt)),
    }
}

/// The program as root: by itself where we are, else through sudo, which asks only where somebody can answer.
fn as_root(repository: &Repository, program: &str) -> Command {
    let is_root = command::answer(repository.command("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if is_root {
        return repository.command(program);
    }
    let mut sudo = repository.command("sudo");
    if !std::io::stdin().is_terminal() {
        sudo.arg("--non-interactive");
    }
    // sudo drops the environment, and with it the wish not to be asked.
    sudo.args(["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", program]);
    sudo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dpkg_calls_installed_is_there() {
        let listed = "xvfb installed\nopenbox config-files\nchromium half-installed\n";
        assert_eq!(
            not_installed(listed, &["xvfb", "openbox", "chromium", "dbus"]),
            ["openbox", "chromium", "dbus"]
        );
    }

    #[test]
    fn a_display_spares_the_own_desktop() {
        assert!(!packages(false, false).contains(&"xvfb"));
        assert!(packages(true, false).contains(&"xvfb"));
        assert!(packages(true, true).contains(&"libwebkit2gtk-4.1-dev"));
    }

    #[test]
    fn only_the_tests_look_into_packages() {
        assert!(!packages(true, false).contains(&"rpm"));
        assert!(packages(true, true).contains(&"rpm"));
    }
}
