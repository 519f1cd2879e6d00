//! One engine at a time for one person: a locked file in the runtime folder.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use usher_secrets::private::{create_private, only_ours};

/// Held as long as it lives; the system gives it back even when the process is killed.
#[derive(Debug)]
pub(crate) struct EngineLock {
    _file: File,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    #[error("another engine runs")]
    Held { pid: Option<u32> },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl EngineLock {
    /// Makes the folder (0700) where it is not there, locks `engine.lock` in it and writes our process id into it. A
    /// folder that others may enter is refused: they could lock us out, or listen in our place.
    pub fn take(runtime_dir: &Path) -> Result<Self, LockError> {
        only_ours(runtime_dir).map_err(io::Error::other)?;
        let mut file = create_private(&runtime_dir.join("engine.lock")).map_err(io::Error::other)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The id is a courtesy: a holder that has not written it yet is a holder all the same.
                let _ = file.take(32).read_to_string(&mut text);
                return Err(LockError::Held { pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_learns_who_holds_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = folder.path().join("runtime");
        let lock = EngineLock::take(&runtime).expect("the first takes it");
        match EngineLock::take(&runtime) {
            Err(LockError::Held { pid }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(lock);
        EngineLock::take(&runtime).expect("given back");
    }
}
