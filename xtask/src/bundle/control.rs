//! Fixes the Debian package's control file, in which the Tauri CLI lists two libraries twice, once without a version.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command;
use crate::repository::Repository;

const DEADLINE: Duration = Duration::from_secs(60);

/// Lists each dependency of a package once. A `.deb` is an archive of three files, and only the control archive is
/// replaced. Needs Debian's packaging tools; without them the package stays unchanged.
pub fn remove_duplicate_dependencies(repository: &Repository, package: &Path) -> Result<()> {
    let Some(control) =
        command::try_output(repository.command("dpkg-deb").arg("--info").arg(package).arg("control"))
    else {
        return Ok(());
    };
    let Some(corrected) = without_duplicates(&control) else { return Ok(()) };
    let folder = package.with_extension("control");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("delete {}", folder.display()))?;
    }
    command::output(repository.command("dpkg-deb").arg("--control").arg(package).arg(&folder))?;
    fs::write(folder.join("control"), corrected).context("write the control file")?;
    let archive = folder.join("control.tar.gz");
    let mut tar = repository.command("tar");
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rw,go=r"]);
    tar.arg("--file").arg(&archive).arg("--directory").arg(&folder).args(["./control", "./md5sums"]);
    command::run_quietly(&mut tar, DEADLINE)?;
    command::run_quietly(repository.command("ar").arg("r").arg(package).arg(&archive), DEADLINE)?;
    fs::remove_dir_all(&folder).with_context(|| format!("delete {}", folder.display()))
}

/// The text with each dependency listed once, with its version if there is one. `None` if there are no duplicates.
fn without_duplicates(control: &str) -> Option<String> {
    let line = control.lines().find(|line| line.starts_with("Depends: "))?;
    let mut kept: Vec<&str> = Vec::new();
    for item in line.trim_start_matches("Depends: ").split(", ") {
        match kept.iter().position(|other| name(other) == name(item)) {
            Some(index) if kept[index].len() < item.len() => kept[index] = item,
            Some(_) => {}
            None => kept.push(item),
        }
    }
    let corrected = format!("Depends: {}", kept.join(", "));
    (corrected != line).then(|| control.replacen(line, &corrected, 1))
}

fn name(item: &str) -> &str {
    item.split_once(" (").map_or(item, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_dependency_keeps_its_version() {
        let control = "Package: usher\nDepends: libc6 (>= 2.34), libgtk-3-0, libgtk-3-0 (>= 3.22), libc6\nSection: net\n";
        let expected = "Package: usher\nDepends: libc6 (>= 2.34), libgtk-3-0 (>= 3.22)\nSection: net\n";
        assert_eq!(without_duplicates(control).as_deref(), Some(expected));
        assert_eq!(without_duplicates(expected), None);
        assert_eq!(without_duplicates("Package: usher\n"), None);
    }
}
