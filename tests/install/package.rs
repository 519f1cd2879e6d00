//! The Debian package, read with dpkg's tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use usher_tests::paths;

/// A `.deb` file.
#[derive(Debug)]
pub struct Package {
    pub file: PathBuf,
}

impl Package {
    /// The most recently built package.
    pub fn find() -> Result<Package> {
        Ok(Package { file: newest("deb")? })
    }

    /// Builds the same package with an earlier version number.
    pub fn with_version(&self, version: &str, folder: &Path) -> Result<Package> {
        let unpacked = folder.join("earlier");
        self.unpack(&unpacked)?;
        let control = unpacked.join("DEBIAN/control");
        let text = std::fs::read_to_string(&control)?;
        let now = format!("\nVersion: {}\n", self.fields()?.remove("Version").context("no version")?);
        anyhow::ensure!(text.contains(&now), "no version in the control file: {text}");
        std::fs::write(&control, text.replace(&now, &format!("\nVersion: {version}\n")))?;
        let file = folder.join("earlier.deb");
        // Without compression, which would take longer than the test.
        let mut build = Command::new("dpkg-deb");
        run(build.args(["--root-owner-group", "-Znone", "--build"]).args([&unpacked, &file]))?;
        Ok(Package { file })
    }

    /// The fields of the control file.
    pub fn fields(&self) -> Result<BTreeMap<String, String>> {
        let mut fields = BTreeMap::new();
        let mut last = String::new();
        for line in self.dpkg_deb("--field", &[])?.lines() {
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

    /// The files and folders in the package, sorted by path.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let listed = self.dpkg_deb("--contents", &[])?;
        let mut entries = listed.lines().map(Entry::read).collect::<Result<Vec<_>>>()?;
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Unpacks the files into a folder, and the control files into its subfolder `DEBIAN`.
    pub fn unpack(&self, into: &Path) -> Result<()> {
        let into = into.to_str().context("the folder's name is not UTF-8")?;
        self.dpkg_deb("--raw-extract", &[into]).map(drop)
    }

    fn dpkg_deb(&self, action: &str, arguments: &[&str]) -> Result<String> {
        run(Command::new("dpkg-deb").arg(action).arg(&self.file).args(arguments))
    }
}

/// The most recently built package of a format.
pub fn newest(format: &str) -> Result<PathBuf> {
    let folder = paths::packages()?.join(format);
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

/// A file or folder in the package.
#[derive(Debug)]
pub struct Entry {
    pub mode: String,
    pub owner: String,
    /// The path without a leading `./` or a trailing `/`.
    pub path: String,
}

impl Entry {
    /// Reads a line such as `-rwxr-xr-x 0/0 1234 2026-11-21 13:37 usr/bin/usher`.
    fn read(line: &str) -> Result<Entry> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [mode, owner, _size, _date, _time, path, ..] = words[..] else {
            anyhow::bail!("cannot read the entry: {line}");
        };
        let path = path.trim_start_matches("./").trim_end_matches('/').to_owned();
        Ok(Entry { mode: mode.to_owned(), owner: owner.to_owned(), path })
    }

    pub fn is_folder(&self) -> bool {
        self.mode.starts_with('d')
    }
}

/// Runs a command and returns its stdout. Fails if the command fails.
pub fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {name}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{name} failed ({}): {stderr}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
