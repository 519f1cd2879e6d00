//! The commented `mcp.json` of a first run.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::parse::{ParseContext, parse};
use crate::{ConfigError, ConfigFile, Environment, ServerConfig, atomic_write};

/// The maximum number of saved files. The person must then delete some.
const MAX_SAVED: u32 = 1000;

/// The outcome of [`ConfigFile::restore`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The new file with the previous contents; `None` if there was no file.
    pub saved_as: Option<PathBuf>,
}

/// Returns the text of the file: one disabled example of each kind of server.
pub fn starter_text() -> &'static str {
    include_str!("starter.jsonc")
}

impl ServerConfig {
    /// Returns whether this is an unchanged example from the starter file. Front ends need not show it. A new server of
    /// the same name replaces it.
    pub fn is_example(&self) -> bool {
        static EXAMPLES: LazyLock<Vec<ServerConfig>> = LazyLock::new(|| {
            let context = ParseContext { environment: &Environment::default(), folder: Path::new("") };
            parse(starter_text(), context).map(|config| config.servers).unwrap_or_default()
        });
        EXAMPLES.contains(self)
    }
}

impl ConfigFile {
    /// Writes the starter file if there is no file. Returns whether it was written. An existing file is never changed,
    /// even if it is empty or a link to a missing file.
    pub fn create_if_missing(&self) -> Result<bool, ConfigError> {
        match fs::symlink_metadata(self.path()) {
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(self.io("reading", error)),
        }
        let _lock = atomic_write::lock_folder(self.path())
            .map_err(|source| self.io("locking the folder of", source))?;
        let prepared = atomic_write::prepare(self.path(), starter_text().as_bytes());
        prepared
            .and_then(|prepared| prepared.commit_new(self.path()))
            .map_err(|source| self.io("writing", source))
    }

    /// Saves a copy of the file under a new name, then replaces the file with the starter file. The file may be
    /// invalid. If it is a link, the link stays.
    pub fn restore(&self) -> Result<Restored, ConfigError> {
        let target =
            atomic_write::resolve_links(self.path()).map_err(|source| self.io("resolving", source))?;
        let _lock =
            atomic_write::lock_folder(&target).map_err(|source| self.io("locking the folder of", source))?;
        let prepared = atomic_write::prepare(&target, starter_text().as_bytes())
            .map_err(|source| self.io("writing", source))?;
        let saved_as = self.save_beside(&target).map_err(|source| self.io("saving", source))?;
        prepared.commit(&target).map_err(|source| self.io("writing", source))?;
        Ok(Restored { saved_as })
    }

    /// Copies the file, with its permissions, to a new file `mcp.saved-1.json`, `mcp.saved-2.json` and so on.
    fn save_beside(&self, target: &Path) -> io::Result<Option<PathBuf>> {
        let metadata = match fs::metadata(target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
        }
        let mut original = File::open(target)?;
        let stem = self.path().file_stem().unwrap_or(self.path().as_os_str()).to_string_lossy();
        for number in 1..=MAX_SAVED {
            let path = self.path().with_file_name(format!("{stem}.saved-{number}.json"));
            match create_private(&path) {
                Ok(mut copy) => {
                    io::copy(&mut original, &mut copy)?;
                    copy.set_permissions(metadata.permissions())?;
                    copy.sync_all()?;
                    return Ok(Some(path));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("there are too many saved files; delete some"))
    }
}

/// Creates a new file that only its owner can read.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
