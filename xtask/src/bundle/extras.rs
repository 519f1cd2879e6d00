//! What a package brings besides the app: the command, its manual and completions, licences, a scalable icon, and what
//! software centres show.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{answer, metainfo, notices};
use crate::command;
use crate::repository::Repository;

/// Beside the copyright, packed.
const NOTICES: &str = "THIRD-PARTY-NOTICES";

/// Where all of it lies, ready to be packed.
pub struct Extras {
    /// The command, as Tauri's tool wants to be told: without the target's name, which the file itself carries.
    pub command: PathBuf,
    /// What becomes `/usr/share`.
    pub share: PathBuf,
    pub zsh_completions: PathBuf,
    /// For packages that take nothing of `/usr/share`.
    pub notices: PathBuf,
    /// What rpm runs once the package is gone: it takes away the folders that it was told of, and Tauri's tool tells it
    /// of none. An upgrade runs it too, and finds the folder full.
    pub after_removal: PathBuf,
}

/// Makes them anew from the command that was built in `profile`.
pub fn make(repository: &Repository, profile: &str) -> Result<Extras> {
    let folder = repository.target("bundle").join(profile);
    // What an earlier version brought and this one does not must not be packed.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let share = folder.join("share");
    let usher = repository.built(profile, "usher");
    manual(repository, &usher, &folder.join("man"), &share.join("man/man1"))?;
    completions(repository, &usher, "bash", &share.join("bash-completion/completions/usher"))?;
    completions(repository, &usher, "fish", &share.join("fish/vendor_completions.d/usher.fish"))?;
    let zsh_completions = folder.join("_usher");
    completions(repository, &usher, "zsh", &zsh_completions)?;
    let papers = share.join("doc/usher");
    write(&papers.join("copyright"), copyright(repository)?.as_bytes())?;
    let noted = notices::make(repository)?;
    write(&papers.join(format!("{NOTICES}.gz")), &packed(noted.as_bytes())?)?;
    let notices = folder.join(format!("{NOTICES}.txt"));
    write(&notices, noted.as_bytes())?;
    write(&share.join("metainfo").join(metainfo::FILE), metainfo::make(repository)?.as_bytes())?;
    // Named like the program: that is what the desktop file says.
    let scalable = share.join("icons/hicolor/scalable/apps/usher-desktop.svg");
    write(&scalable, &fs::read(repository.path("icons/usher.svg")).context("read icons/usher.svg")?)?;
    let command = folder.join("usher");
    let with_target = format!("usher-{}{}", host(repository)?, std::env::consts::EXE_SUFFIX);
    fs::copy(&usher, folder.join(with_target)).with_context(|| format!("copy {}", usher.display()))?;
    let after_removal = folder.join("after-removal");
    write(&after_removal, b"rmdir /usr/share/doc/usher 2>/dev/null || :\n")?;
    Ok(Extras { command, share, zsh_completions, notices, after_removal })
}

/// The manual's pages, packed as the systems expect them.
fn manual(repository: &Repository, usher: &Path, plain: &Path, share: &Path) -> Result<()> {
    fs::create_dir_all(plain).context("make a folder for the manual")?;
    let mut write_pages = repository.command(usher);
    command::run_silently(write_pages.arg("man").arg(plain), Duration::from_secs(60))?;
    for page in fs::read_dir(plain).context("read the manual")? {
        let page = page?;
        let name = format!("{}.gz", page.file_name().to_string_lossy());
        write(&share.join(name), &packed(&fs::read(page.path())?)?)?;
    }
    // The app's own page is written by hand: its options are few, and it has nothing to write pages with.
    let page = fs::read(repository.path("src-tauri/usher-desktop.1")).context("read the app's page")?;
    write(&share.join("usher-desktop.1.gz"), &packed(&page)?)?;
    Ok(())
}

/// As Debian's policy asks for manuals and long papers. The file carries neither name nor time: the same for the same.
fn packed(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).context("pack a file")
}

fn completions(repository: &Repository, usher: &Path, shell: &str, to: &Path) -> Result<()> {
    let text = answer(repository.command(usher).args(["completions", shell]))?;
    write(to, text.as_bytes())
}

/// In Debian's form (DEP-5), which people read as well.
fn copyright(repository: &Repository) -> Result<String> {
    let licence = fs::read_to_string(repository.path("LICENSE-MIT")).context("read LICENSE-MIT")?;
    let mut lines = licence.lines();
    let holder =
        lines.find_map(|line| line.strip_prefix("Copyright (c) ")).context("LICENSE-MIT names nobody")?;
    let terms: Vec<String> = lines
        .skip(1)
        .map(|line| if line.is_empty() { " .".to_owned() } else { format!(" {line}") })
        .collect();
    Ok(format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: Usher\n\
         Comment: The programs contain works of others. {NOTICES}.gz beside this file\n names each of them with \
         its licence and its text.\n\n\
         Files: *\nCopyright: {holder}\nLicense: Expat or Apache-2.0\n\n\
         License: Expat\n{}\n\n\
         License: Apache-2.0\n On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0;\n \
         elsewhere it is at https://www.apache.org/licenses/LICENSE-2.0.\n",
        terms.join("\n")
    ))
}

/// The target that cargo builds for, such as `x86_64-unknown-linux-gnu`.
fn host(repository: &Repository) -> Result<String> {
    let said = answer(repository.command("rustc").arg("-vV"))?;
    said.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc names no host")
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    fs::write(path, content).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copyright_names_holder_and_both_licences() {
        let text = copyright(&Repository::find().expect("the repository")).expect("the text");
        assert!(
            text.contains("\nCopyright: 2026 The Usher contributors\nLicense: Expat or Apache-2.0\n"),
            "{text}"
        );
        assert!(text.contains("License: Expat\n Permission is hereby granted"), "{text}");
        // An empty line ends a paragraph, so a licence's own are written otherwise.
        assert!(text.matches("\n\n").count() < 5, "{text}");
    }
}
