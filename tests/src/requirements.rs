//! The programs and libraries that a desktop of the tests needs, and the Debian package of each.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Result, ensure};

/// The required programs and libraries. `cargo xtask setup` installs the packages of the same list.
const LIST: &str = include_str!("../../xtask/desktop-packages.txt");

/// Fails if something is missing, and names the Debian packages to install.
pub fn check() -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing = missing(&path, loader_cache().as_deref());
    ensure!(
        missing.is_empty(),
        "missing on this machine: {} (`cargo xtask setup` installs them)",
        missing.join(", ")
    );
    Ok(())
}

/// The program, with its Debian package if it is in the list.
pub fn with_package(program: &str) -> String {
    match entries().find(|[_, name, _]| *name == program) {
        Some([_, name, package]) => format!("{name} (Debian package {package})"),
        None => program.to_owned(),
    }
}

/// Each missing entry with its Debian package. `loader_cache` is the output of `ldconfig`. Without it, libraries count
/// as installed.
fn missing(path: &OsStr, loader_cache: Option<&str>) -> Vec<String> {
    let is_installed = |kind: &str, name: &str| match kind {
        "library" => loader_cache.is_none_or(|cache| cache.contains(name)),
        _ => env::split_paths(path).any(|folder| folder.join(name).is_file()),
    };
    entries()
        .filter(|[kind, name, _]| !is_installed(kind, name))
        .map(|[_, name, _]| with_package(name))
        .collect()
}

/// The kind, name and package of each entry.
fn entries() -> impl Iterator<Item = [&'static str; 3]> {
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok())
}

fn loader_cache() -> Option<String> {
    // A full path, because /sbin may be missing from a user's PATH.
    let output = Command::new("/sbin/ldconfig").arg("-p").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_or_library_is_named_with_its_package() {
        let empty = tempfile::tempdir().expect("temp dir");
        let missing = missing(empty.path().as_os_str(), Some("libc.so.6 => /lib/libc.so.6"));
        for named in [
            "Xvfb (Debian package xvfb)",
            "chromedriver (Debian package chromium-driver)",
            "chromium (Debian package chromium)",
            "dbus-daemon (Debian package dbus)",
            "gnome-keyring-daemon (Debian package gnome-keyring)",
            "WebKitWebDriver (Debian package webkit2gtk-driver)",
            "libayatana-appindicator3.so.1 (Debian package libayatana-appindicator3-1)",
        ] {
            assert!(missing.iter().any(|entry| entry == named), "{named} is not in {missing:?}");
        }
    }

    #[test]
    fn an_installed_program_or_library_is_not_missing() {
        let folder = tempfile::tempdir().expect("temp dir");
        for [_, name, _] in entries() {
            std::fs::write(folder.path().join(name), "").expect("write a program");
        }
        let cache =
            "\tlibayatana-appindicator3.so.1 (libc6,x86-64) => /usr/lib/libayatana-appindicator3.so.1\n";
        assert_eq!(missing(folder.path().as_os_str(), Some(cache)), Vec::<String>::new());
        assert_eq!(missing(folder.path().as_os_str(), None), Vec::<String>::new());
    }

    #[test]
    fn every_line_of_the_list_is_read() {
        let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(entries().count(), lines);
        assert!(entries().all(|[kind, ..]| kind == "program" || kind == "library"));
    }
}
