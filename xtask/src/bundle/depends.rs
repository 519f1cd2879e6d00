//! Which Debian packages the programs load their libraries from, and from which version on: asked of dpkg's own tool.

use std::fs;

use anyhow::{Context, Result};

use crate::command;
use crate::repository::Repository;

/// What no program shows: the databases that the desktop entry and its icons stand in, and what opens links.
const UNSEEN: [&str; 3] = ["desktop-file-utils", "hicolor-icon-theme", "xdg-utils"];

/// The field `Depends` of both programs in `profile`, item by item; none where the tool is missing, which is part of
/// Debian's build tools. A system whose libraries are older then refuses the package instead of the program.
pub fn read(repository: &Repository, profile: &str) -> Result<Option<Vec<String>>> {
    // The tool wants to stand in a source package.
    let folder = repository.target("bundle").join(profile).join("source");
    fs::create_dir_all(folder.join("debian")).context("make a folder for dpkg-shlibdeps")?;
    fs::write(folder.join("debian/control"), "Source: usher\n\nPackage: usher\nArchitecture: any\n")
        .context("write a control file for dpkg-shlibdeps")?;
    let mut ask = repository.command("dpkg-shlibdeps");
    ask.current_dir(folder).arg("-O");
    ask.args(["usher", "usher-desktop"].map(|name| repository.built(profile, name)));
    Ok(command::answer(&mut ask).as_deref().and_then(items))
}

/// Reads `shlibs:Depends=libc6 (>= 2.36), …`.
fn items(answer: &str) -> Option<Vec<String>> {
    let libraries = answer.trim().strip_prefix("shlibs:Depends=")?.split(", ");
    let mut items: Vec<String> = UNSEEN.into_iter().chain(libraries).map(str::to_owned).collect();
    items.sort();
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_what_no_program_shows() {
        let answer = "shlibs:Depends=libc6 (>= 2.36), libssl3 (>= 3.0.0)\n";
        let expected = [
            "desktop-file-utils",
            "hicolor-icon-theme",
            "libc6 (>= 2.36)",
            "libssl3 (>= 3.0.0)",
            "xdg-utils",
        ];
        assert_eq!(items(answer).expect("items"), expected);
        assert_eq!(items(""), None);
    }
}
