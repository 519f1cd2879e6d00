//! The `.rpm`, read with rpm's tools and installed into a folder that rpm treats as a root file system.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine::as_root;
use crate::package::{Package, newest, run};

#[test]
fn the_rpm_contains_the_same_files_as_the_debian_package() -> Result<()> {
    let in_rpm = query("[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\\n]")?;
    let in_rpm: BTreeSet<&str> = in_rpm.lines().collect();
    let entries = Package::find()?.entries()?;
    let in_deb: BTreeSet<String> = entries
        .iter()
        .filter(|entry| !entry.is_folder())
        // Distributions use different folders for completions of zsh.
        .map(|entry| (&entry.mode, entry.path.replace("vendor-completions", "site-functions")))
        .map(|(mode, path)| format!("{mode} root/root /{path}"))
        .collect();
    assert_eq!(in_rpm, in_deb.iter().map(String::as_str).collect());
    Ok(())
}

#[test]
fn the_header_describes_the_package_and_its_scripts() -> Result<()> {
    let format = "%{NAME} %{VERSION} %{ARCH}\\n%{LICENSE}\\n%{SUMMARY}\\n%{DESCRIPTION}\\n\
                  [recommends %{RECOMMENDNAME}\\n]after removal: %{POSTUN}\\n\
                  before: %|PREIN?{yes}:{no}| %|PREUN?{yes}:{no}|, after: %|POSTIN?{yes}:{no}|\\n";
    insta::assert_snapshot!(query(format)?);
    Ok(())
}

#[test]
fn the_rpm_requires_its_libraries_and_is_installed_unchanged_and_removed_completely() -> Result<()> {
    let root = Root::create()?;
    root.rpm(&["--install", "--nodeps", "--noscripts"], &newest("rpm")?)?;
    // The output is empty if every file is as it was in the package.
    assert_eq!(root.rpm(&["--verify", "--nodeps", "--noscripts"], "usher".as_ref())?, "");
    let required = query("[%{REQUIRENAME}\\n]")?;
    let required: BTreeSet<&str> = required.lines().collect();
    for program in ["usr/bin/usher", "usr/bin/usher-bridge", "usr/bin/usher-desktop"] {
        let libraries = libraries(&root.path().join(program))?;
        assert!(
            libraries.contains("libc.so.6()(64bit)\n") || !cfg!(target_pointer_width = "64"),
            "{libraries}"
        );
        // Every distribution's loader provides `rtld(…)`.
        let missing: Vec<&str> =
            libraries.lines().filter(|line| !line.starts_with("rtld(") && !required.contains(line)).collect();
        assert!(missing.is_empty(), "{program} needs {missing:?}");
    }
    for database in ["desktop-file-utils", "hicolor-icon-theme", "xdg-utils"] {
        assert!(required.contains(database), "{database}");
    }
    root.rpm(&["--erase", "--nodeps", "--noscripts"], "usher".as_ref())?;
    let left = run(Command::new("find").arg(root.path().join("usr")).args(["-not", "-type", "d"]))?;
    assert_eq!(left, "");
    Ok(())
}

/// An empty folder with a package database, used as the root file system.
struct Root {
    folder: tempfile::TempDir,
}

impl Root {
    fn create() -> Result<Root> {
        let root = Root { folder: tempfile::tempdir()? };
        let mut rpm = as_root("rpm");
        run(rpm.arg("--root").arg(root.path()).args(["--dbpath", "/var/lib/rpm", "--initdb"]))?;
        Ok(root)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn rpm(&self, action: &[&str], package: &Path) -> Result<String> {
        let mut rpm = as_root("rpm");
        rpm.arg("--root").arg(self.path()).args(["--dbpath", "/var/lib/rpm"]);
        run(rpm.args(action).arg(package))
    }
}

impl Drop for Root {
    /// Removes the folder as root, because root owns its files.
    fn drop(&mut self) {
        let _ = as_root("rm").args(["--recursive", "--force", "--"]).arg(self.path()).status();
    }
}

fn query(format: &str) -> Result<String> {
    run(Command::new("rpm").args(["--query", "--package", "--queryformat", format]).arg(newest("rpm")?))
}

/// The libraries that a program loads, as found by `elfdeps`, which rpmbuild runs for distribution packages.
fn libraries(program: &Path) -> Result<String> {
    let script = "echo \"$1\" | /usr/lib/rpm/elfdeps --requires";
    run(Command::new("sh").args(["-c", script, "sh"]).arg(program)).context("elfdeps comes with Debian's rpm")
}
