//! The package file, asked by dpkg's own tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use usher_tests::place;

/// A `.deb`.
#[derive(Debug)]
pub struct Package {
    pub file: PathBuf,
}

impl Package {
    /// The newest one that was made.
    pub fn find() -> Result<Package> {
        Ok(Package { file: newest("deb")? })
    }

    /// The same one as an earlier version, which it is an upgrade of.
    pub fn earlier(&self, version: &str, folder: &Path) -> Result<Package> {
        let unpacked = folder.join("earlier");
        self.unpack(&unpacked)?;
        let control = unpacked.join("DEBIAN/control");
        let text = std::fs::read_to_string(&control)?;
        let now = format!("\nVersion: {}\n", self.fields()?.remove("Version").context("no version")?);
        anyhow::ensure!(text.contains(&now), "an odd control file: {text}");
        std::fs::write(&control, text.replace(&now, &format!("\nVersion: {version}\n")))?;
        let file = folder.join("earlier.deb");
        // Packing it well would take longer than all that it is for.
        let mut build = Command::new("dpkg-deb");
        said(build.args(["--root-owner-group", "-Znone", "--build"]).args([&unpacked, &file]))?;
        Ok(Package { file })
    }

    /// The control file's fields.
    pub fn fields(&self) -> Result<BTreeMap<String, String>> {
        let mut fields = BTreeMap::new();
        let mut last = String::new();
        for line in self.ask("--field", &[])?.lines() {
            match line.split_once(": ") {
                Some((name, value)) if !line.starts_with(' ') => {
                    last = name.to_owned();
                    fields.insert(last.clone(), value.to_owned());
                }
                _ => fields.entry(last.clone()).or_default().push_str(&format!("\n{}", line.trim())),
            }
        }
        Ok(fields)
    }

    /// One line an entry: mode, owner, path. Sorted by path.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let listed = self.ask("--contents", &[])?;
        let mut entries = listed.lines().map(Entry::read).collect::<Result<Vec<_>>>()?;
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Unpacks it into a folder: its files, and its control files below `DEBIAN`.
    pub fn unpack(&self, into: &Path) -> Result<()> {
        let into = into.to_str().context("a folder with an odd name")?;
        self.ask("--raw-extract", &[into]).map(drop)
    }

    fn ask(&self, question: &str, more: &[&str]) -> Result<String> {
        said(Command::new("dpkg-deb").arg(question).arg(&self.file).args(more))
    }
}

/// The newest package of a format that was made.
pub fn newest(format: &str) -> Result<PathBuf> {
    let folder = place::packages()?.join(format);
    let newest = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == format))
        .max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok());
    newest.with_context(|| {
        format!("there is no package in {}; run `cargo xtask bundle --debug`", folder.display())
    })
}

/// A file or a folder of the package.
#[derive(Debug)]
pub struct Entry {
    pub mode: String,
    pub owner: String,
    /// Without the leading `./` and a folder's last `/`.
    pub path: String,
}

impl Entry {
    /// `-rwxr-xr-x 0/0 1234 2026-11-21 13:37 usr/bin/usher`
    fn read(line: &str) -> Result<Entry> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().map(str::to_owned).with_context(|| format!("an odd entry: {line}"));
        let (mode, owner) = (word()?, word()?);
        let path =
            line.split_whitespace().nth(5).with_context(|| format!("an entry without path: {line}"))?;
        let path = path.trim_start_matches("./").trim_end_matches('/').to_owned();
        Ok(Entry { mode, owner, path })
    }

    pub fn is_folder(&self) -> bool {
        self.mode.starts_with('d')
    }
}

/// What a program says on its output; an error when it fails.
pub fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {name}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{name} failed ({}): {stderr}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
