//! A JSON file in the state folder. Its contents are in memory, and each change is on disk before it counts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use usher_secrets::private_files;

/// The contents of a state file.
pub(crate) trait Contents: Clone + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// The name of the file.
    const FILE: &'static str;
    /// The number of bytes that are read.
    const LARGEST: u64;

    /// Whether this version of Usher wrote the contents.
    fn is_current(&self) -> bool;

    /// The contents before the first change.
    fn first() -> Self;

    /// The contents in place of a file that cannot be parsed.
    fn after_damage() -> Self;
}

/// An open state file.
#[derive(Debug)]
pub(crate) struct StateFile<T> {
    path: PathBuf,
    contents: Mutex<T>,
    /// Held while the contents change and are written, so that the newest contents are written last.
    writing: tokio::sync::Mutex<()>,
}

impl<T: Contents> StateFile<T> {
    /// Reads the file. Also returns whether it existed. A file that cannot be parsed is copied to a file beside it, and
    /// replaced.
    pub fn open(state_dir: &Path) -> io::Result<(Self, bool)> {
        private_files::create_private_dir(state_dir)?;
        let path = state_dir.join(T::FILE);
        let (contents, existed) = match private_files::read(&path, T::LARGEST) {
            Ok(bytes) => match serde_json::from_slice::<T>(&bytes) {
                Ok(contents) if contents.is_current() => (contents, true),
                Ok(_) | Err(_) => {
                    tracing::warn!(path = %path.display(), "the file cannot be parsed; it was moved aside");
                    let contents = T::after_damage();
                    // The copy comes first, so that a crash in between does not look like a first run.
                    std::fs::copy(&path, path.with_extension("json.broken"))?;
                    write(&path, &contents)?;
                    (contents, true)
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (T::first(), false),
            Err(error) => return Err(error),
        };
        Ok((Self { path, contents: Mutex::new(contents), writing: tokio::sync::Mutex::default() }, existed))
    }

    /// Reads the contents without opening the file for changes. Returns `None` if the file does not exist.
    pub fn read(state_dir: &Path) -> io::Result<Option<T>> {
        match private_files::read(&state_dir.join(T::FILE), T::LARGEST) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).map_err(io::Error::other)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the contents, and returns once they are on disk. If they cannot be written, nothing changes.
    pub async fn change(&self, change: impl FnOnce(&mut T)) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        let mut contents = self.lock().clone();
        change(&mut contents);
        if contents == *self.lock() && self.path.exists() {
            return Ok(());
        }
        let (path, written) = (self.path.clone(), contents.clone());
        tokio::task::spawn_blocking(move || write(&path, &written)).await.map_err(io::Error::other)??;
        *self.lock() = contents;
        Ok(())
    }
}

fn write<T: Contents>(path: &Path, contents: &T) -> io::Result<()> {
    private_files::replace(path, &serde_json::to_vec_pretty(contents)?)
}
