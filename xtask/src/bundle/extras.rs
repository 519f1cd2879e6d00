//! The files of a package besides the app: the commands, manual pages, completions, licences, a scalable icon and the
//! AppStream metadata.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{metainfo, notices};
use crate::command;
use crate::repository::Repository;

/// The name of the file with the third-party notices, without its extension.
const NOTICES: &str = "THIRD-PARTY-NOTICES";

/// The paths of the extra files.
pub struct Extras {
    /// The commands without the target triple in their file names. The Tauri CLI adds the triple.
    pub commands: Vec<PathBuf>,
    /// The contents of `/usr/share`.
    pub share: PathBuf,
    pub zsh_completions: PathBuf,
    /// The notices as plain text, for the packages that do not contain `share`.
    pub notices: PathBuf,
    /// The script that rpm runs after the removal, to delete the documents folder. rpm itself deletes only folders that
    /// the package lists, and the Tauri CLI lists none. An upgrade also runs the script, but then the folder is not
    /// empty.
    pub after_removal: PathBuf,
}

/// Creates the files. The manual pages and completions come from the command that was built in `profile`.
pub fn make(repository: &Repository, profile: &str) -> Result<Extras> {
    let folder = repository.target("bundle").join(profile);
    // Files of an earlier version must not be packaged.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("delete {}", folder.display()))?;
    }
    let share = folder.join("share");
    let usher = repository.built(profile, "usher");
    manual(repository, &usher, &folder.join("man"), &share.join("man/man1"))?;
    completions(repository, &usher, "bash", &share.join("bash-completion/completions/usher"))?;
    completions(repository, &usher, "fish", &share.join("fish/vendor_completions.d/usher.fish"))?;
    let zsh_completions = folder.join("_usher");
    completions(repository, &usher, "zsh", &zsh_completions)?;
    let documents = share.join("doc/usher");
    write(&documents.join("copyright"), copyright(repository)?.as_bytes())?;
    let notices_text = notices::make(repository)?;
    write(&documents.join(format!("{NOTICES}.gz")), &compressed(notices_text.as_bytes())?)?;
    let notices = folder.join(format!("{NOTICES}.txt"));
    write(&notices, notices_text.as_bytes())?;
    write(&share.join("metainfo").join(metainfo::FILE), metainfo::make(repository)?.as_bytes())?;
    // The desktop file refers to the icon by the name of the program.
    let scalable = share.join("icons/hicolor/scalable/apps/usher-desktop.svg");
    write(&scalable, &fs::read(repository.path("icons/usher.svg")).context("read icons/usher.svg")?)?;
    let host = host(repository)?;
    let mut commands = Vec::new();
    for name in ["usher", "usher-bridge"] {
        let built = repository.built(profile, name);
        let with_target = format!("{name}-{host}{}", std::env::consts::EXE_SUFFIX);
        fs::copy(&built, folder.join(with_target)).with_context(|| format!("copy {}", built.display()))?;
        commands.push(folder.join(name));
    }
    let after_removal = folder.join("after-removal");
    write(&after_removal, b"rmdir /usr/share/doc/usher 2>/dev/null || :\n")?;
    Ok(Extras { commands, share, zsh_completions, notices, after_removal })
}

/// Writes the compressed manual pages.
fn manual(repository: &Repository, usher: &Path, plain: &Path, share: &Path) -> Result<()> {
    fs::create_dir_all(plain).context("create a folder for the manual")?;
    let mut write_pages = repository.command(usher);
    command::run_quietly(write_pages.arg("man").arg(plain), Duration::from_secs(60))?;
    for page in fs::read_dir(plain).context("read the manual")? {
        let page = page?;
        let name = format!("{}.gz", page.file_name().to_string_lossy());
        write(&share.join(name), &compressed(&fs::read(page.path())?)?)?;
    }
    // The app's own page is written by hand, because the app has few options and no page generator.
    let page = fs::read(repository.path("src-tauri/usher-desktop.1")).context("read the app's page")?;
    write(&share.join("usher-desktop.1.gz"), &compressed(&page)?)?;
    Ok(())
}

/// Compresses content with gzip, which Debian's policy requires for manuals and long documents. The header has no name
/// and no time, so the result is reproducible.
fn compressed(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).context("compress a file")
}

fn completions(repository: &Repository, usher: &Path, shell: &str, to: &Path) -> Result<()> {
    let text = command::output(repository.command(usher).args(["completions", shell]))?;
    write(to, text.as_bytes())
}

/// The copyright file in Debian's machine-readable format (DEP-5).
fn copyright(repository: &Repository) -> Result<String> {
    let licence = fs::read_to_string(repository.path("LICENSE-MIT")).context("read LICENSE-MIT")?;
    let mut lines = licence.lines();
    let holder = lines
        .find_map(|line| line.strip_prefix("Copyright (c) "))
        .context("LICENSE-MIT names no copyright holder")?;
    let terms: Vec<String> = lines
        // The empty line below the holder.
        .skip(1)
        .map(|line| if line.is_empty() { " .".to_owned() } else { format!(" {line}") })
        .collect();
    Ok(format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: Usher\n\
         Comment: The programs contain third-party software. {NOTICES}.gz beside this file\n lists each component with \
         its licence and its text.\n\n\
         Files: *\nCopyright: {holder}\nLicense: Expat or Apache-2.0\n\n\
         License: Expat\n{}\n\n\
         License: Apache-2.0\n On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0;\n \
         elsewhere it is at https://www.apache.org/licenses/LICENSE-2.0.\n",
        terms.join("\n")
    ))
}

/// The target triple that cargo builds for, such as `x86_64-unknown-linux-gnu`.
fn host(repository: &Repository) -> Result<String> {
    let output = command::output(repository.command("rustc").arg("-vV"))?;
    output
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc names no host")
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    fs::write(path, content).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copyright_file_names_the_holder_and_both_licences() {
        let text = copyright(&Repository::find().expect("the repository")).expect("the text");
        assert!(
            text.contains("\nCopyright: 2026 The Usher contributors\nLicense: Expat or Apache-2.0\n"),
            "{text}"
        );
        assert!(text.contains("License: Expat\n Permission is hereby granted"), "{text}");
        // An empty line ends a paragraph, so the empty lines of a licence are escaped.
        assert!(text.matches("\n\n").count() < 5, "{text}");
    }
}
