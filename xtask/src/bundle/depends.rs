//! The dependencies of the Debian package, as `dpkg-shlibdeps` finds them.

use std::fs;

use anyhow::{Context, Result};

use super::{PROGRAMS, UNDETECTED};
use crate::command;
use crate::repository::Repository;

/// Returns the items of the field `Depends` for the programs in `profile`; none without Debian's build tools. The
/// items have library versions, so that a system with older libraries rejects the package.
pub fn read(repository: &Repository, profile: &str) -> Result<Option<Vec<String>>> {
    // The tool must run in a source package.
    let folder = repository.target("bundle").join(profile).join("source");
    fs::create_dir_all(folder.join("debian")).context("create a folder for dpkg-shlibdeps")?;
    fs::write(folder.join("debian/control"), "Source: usher\n\nPackage: usher\nArchitecture: any\n")
        .context("write a control file for dpkg-shlibdeps")?;
    let mut shlibdeps = repository.command("dpkg-shlibdeps");
    shlibdeps.current_dir(folder).arg("-O");
    shlibdeps.args(PROGRAMS.map(|name| repository.built(profile, name)));
    Ok(command::try_output(&mut shlibdeps).as_deref().and_then(items))
}

/// Reads `shlibs:Depends=libc6 (>= 2.36), …`.
fn items(output: &str) -> Option<Vec<String>> {
    let libraries = output.trim().strip_prefix("shlibs:Depends=")?.split(", ");
    let mut items: Vec<String> = UNDETECTED.into_iter().chain(libraries).map(str::to_owned).collect();
    items.sort();
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undetected_dependencies_are_added() {
        let output = "shlibs:Depends=libc6 (>= 2.36), libssl3 (>= 3.0.0)\n";
        let expected = [
            "desktop-file-utils",
            "hicolor-icon-theme",
            "libc6 (>= 2.36)",
            "libssl3 (>= 3.0.0)",
            "xdg-utils",
        ];
        assert_eq!(items(output).expect("items"), expected);
        assert_eq!(items(""), None);
    }
}
