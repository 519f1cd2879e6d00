//! The Debian package's control file, set right: Tauri's tool names two libraries a second time, without a version.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::answer;
use crate::command;
use crate::repository::Repository;

const DEADLINE: Duration = Duration::from_secs(60);

/// A `.deb` is an archive of three files, of which only this one is packed anew. By tools of Debian's own packaging, so
/// elsewhere the package stays as it was made.
pub fn set_right(repository: &Repository, package: &Path) -> Result<()> {
    let Some(control) =
        command::answer(repository.command("dpkg-deb").arg("--info").arg(package).arg("control"))
    else {
        return Ok(());
    };
    let Some(corrected) = with_each_dependency_once(&control) else { return Ok(()) };
    let folder = package.with_extension("control");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    answer(repository.command("dpkg-deb").arg("--control").arg(package).arg(&folder))?;
    fs::write(folder.join("control"), corrected).context("write the control file")?;
    let archive = folder.join("control.tar.gz");
    let mut tar = repository.command("tar");
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rw,go=r"]);
    tar.arg("--file").arg(&archive).arg("--directory").arg(&folder).args(["./control", "./md5sums"]);
    command::run_silently(&mut tar, DEADLINE)?;
    command::run_silently(repository.command("ar").arg("r").arg(package).arg(&archive), DEADLINE)?;
    fs::remove_dir_all(&folder).with_context(|| format!("take {} away", folder.display()))
}

/// The text with a `Depends` that names no package twice: the one with a version stays. None where nothing is twice.
fn with_each_dependency_once(control: &str) -> Option<String> {
    let line = control.lines().find(|line| line.starts_with("Depends: "))?;
    let mut kept: Vec<&str> = Vec::new();
    for item in line.trim_start_matches("Depends: ").split(", ") {
        match kept.iter().position(|other| name(other) == name(item)) {
            Some(place) if kept[place].len() < item.len() => kept[place] = item,
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
    fn what_is_named_twice_stands_there_once_with_its_version() {
        let control = "Package: usher\nDepends: libc6 (>= 2.34), libgtk-3-0, libgtk-3-0 (>= 3.22), libc6\nSection: net\n";
        let expected = "Package: usher\nDepends: libc6 (>= 2.34), libgtk-3-0 (>= 3.22)\nSection: net\n";
        assert_eq!(with_each_dependency_once(control).as_deref(), Some(expected));
        assert_eq!(with_each_dependency_once(expected), None);
        assert_eq!(with_each_dependency_once("Package: usher\n"), None);
    }
}
