//! The `.rpm`, asked by rpm's own tools, and installed into a folder that rpm takes for a whole system.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::machine::as_root;
use crate::package::{Package, newest, said};

#[test]
fn it_brings_what_the_debian_package_brings() -> Result<()> {
    let of_rpm = query("[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\\n]")?;
    let of_rpm: BTreeSet<&str> = of_rpm.lines().collect();
    let entries = Package::find()?.entries()?;
    let of_deb: BTreeSet<String> = entries
        .iter()
        .filter(|entry| !entry.is_folder())
        // zsh's folder is the one thing that distributions disagree on.
        .map(|entry| {
            format!(
                "{} root/root /{}",
                entry.mode,
                entry.path.replace("vendor-completions", "site-functions")
            )
        })
        .collect();
    assert_eq!(of_rpm, of_deb.iter().map(String::as_str).collect());
    Ok(())
}

#[test]
fn its_head_says_what_it_is_and_what_it_runs() -> Result<()> {
    let format = "%{NAME} %{VERSION} %{ARCH}\\n%{LICENSE}\\n%{SUMMARY}\\n%{DESCRIPTION}\\n\
                  [recommends %{RECOMMENDNAME}\\n]after removal: %{POSTUN}\\n\
                  before: %|PREIN?{yes}:{no}| %|PREUN?{yes}:{no}|, after: %|POSTIN?{yes}:{no}|\\n";
    insta::assert_snapshot!(query(format)?);
    Ok(())
}

#[test]
fn installed_as_packed_with_all_its_libraries_required_and_removed() -> Result<()> {
    let system = System::make()?;
    system.rpm(&["--install", "--nodeps", "--noscripts"], &newest("rpm")?)?;
    // Silent where every file is as it was packed.
    assert_eq!(system.rpm(&["--verify", "--nodeps", "--noscripts"], "usher".as_ref())?, "");
    let required = query("[%{REQUIRENAME}\\n]")?;
    let required: BTreeSet<&str> = required.lines().collect();
    for program in ["usr/bin/usher", "usr/bin/usher-desktop"] {
        let libraries = libraries(&system.root().join(program))?;
        assert!(
            libraries.contains("libssl.so.3()(64bit)\n") || !cfg!(target_pointer_width = "64"),
            "{libraries}"
        );
        // The loader's own ability: no distribution is without it.
        let missing: Vec<&str> =
            libraries.lines().filter(|line| !line.starts_with("rtld(") && !required.contains(line)).collect();
        assert!(missing.is_empty(), "{program} needs {missing:?}");
    }
    for database in ["desktop-file-utils", "hicolor-icon-theme", "xdg-utils"] {
        assert!(required.contains(database), "{database}");
    }
    system.rpm(&["--erase", "--nodeps", "--noscripts"], "usher".as_ref())?;
    let rests = said(Command::new("find").arg(system.root().join("usr")).args(["-not", "-type", "d"]))?;
    assert_eq!(rests, "");
    Ok(())
}

/// A folder with a database of packages, and nothing else in it.
struct System {
    folder: tempfile::TempDir,
}

impl System {
    fn make() -> Result<System> {
        let system = System { folder: tempfile::tempdir()? };
        let mut rpm = as_root("rpm");
        said(rpm.arg("--root").arg(system.root()).args(["--dbpath", "/var/lib/rpm", "--initdb"]))?;
        Ok(system)
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn rpm(&self, action: &[&str], what: &Path) -> Result<String> {
        let mut rpm = as_root("rpm");
        rpm.arg("--root").arg(self.root()).args(["--dbpath", "/var/lib/rpm"]);
        said(rpm.args(action).arg(what))
    }
}

impl Drop for System {
    /// What root put there only root takes away.
    fn drop(&mut self) {
        let _ = as_root("rm").args(["--recursive", "--force", "--"]).arg(self.root()).status();
    }
}

fn query(format: &str) -> Result<String> {
    said(Command::new("rpm").args(["--query", "--package", "--queryformat", format]).arg(newest("rpm")?))
}

/// What rpm's own tool, which packagers of distributions have run by itself, finds that a program loads.
fn libraries(program: &Path) -> Result<String> {
    let mut ask = Command::new("/usr/lib/rpm/elfdeps");
    let ask = ask.arg("--requires").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut ask = ask.context("cannot run elfdeps; it comes with Debian's rpm")?;
    // Dropped at the end of the line: that ends the list of files.
    writeln!(ask.stdin.take().context("no input")?, "{}", program.display())?;
    let answer = ask.wait_with_output()?;
    anyhow::ensure!(answer.status.success(), "elfdeps failed ({})", answer.status);
    Ok(String::from_utf8(answer.stdout)?)
}
