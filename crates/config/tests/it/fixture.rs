//! A folder with an `mcp.json`.

use std::fs;
use std::path::{Path, PathBuf};

use usher_config::{ConfigFile, Environment};

pub struct TestFolder(tempfile::TempDir);

impl TestFolder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("temp dir"))
    }

    /// Creates a folder whose `mcp.json` has these contents.
    pub fn with(contents: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        fs::write(folder.path(), contents).expect("write file");
        folder
    }

    /// The path of the folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The path of `mcp.json`.
    pub fn path(&self) -> PathBuf {
        self.folder().join("mcp.json")
    }

    pub fn file(&self) -> ConfigFile {
        ConfigFile::new(self.path(), Environment::default())
    }

    pub fn text(&self) -> String {
        fs::read_to_string(self.path()).expect("read file")
    }

    pub fn names(&self) -> Vec<String> {
        names_in(self.folder())
    }
}

/// The names of the files in a folder, sorted.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("read folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("read entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
