//! The lock that allows only one engine per person: a locked file in the state folder, and one in the runtime folder.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use usher_secrets::private_files::{self, create_private, create_private_dir, ensure_private_dir};

const FILE: &str = "engine.lock";
/// The largest number of bytes that are read from a lock file.
const LONGEST_TEXT: u64 = 8192;

/// The held lock. Dropping this value releases the lock. If the process is killed, the system releases it.
#[derive(Debug)]
pub(crate) struct EngineLock {
    _runtime: File,
    /// The file in the state folder. `None` if both folders are the same, or if the file system supports no locks.
    _state: Option<File>,
}

/// The reason why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    #[error("another engine is running")]
    Held { pid: Option<u32>, runtime_dir: PathBuf },
    #[error("{}: {source}", folder.display())]
    Io { folder: PathBuf, source: io::Error },
}

impl EngineLock {
    /// Locks `engine.lock` in both folders. Creates the folders (0700) if necessary.
    ///
    /// A lock in the runtime folder is not enough: cron, a container or a remote shell does not use the desktop
    /// session's runtime folder, but shares its grants. A runtime folder that other users can access is rejected,
    /// because they could hold the lock or impersonate the engine.
    pub fn take(state_dir: &Path, runtime_dir: &Path) -> Result<Self, LockError> {
        ensure_private_dir(runtime_dir)
            .map_err(io::Error::other)
            .map_err(|source| in_folder(runtime_dir, source))?;
        create_private_dir(state_dir).map_err(|source| in_folder(state_dir, source))?;
        let listens_at = std::path::absolute(runtime_dir).unwrap_or_else(|_| runtime_dir.to_owned());
        let is_one_folder = runtime_dir.canonicalize().ok() == state_dir.canonicalize().ok();
        let pid = format!("{}\n", std::process::id());
        let text = format!("{pid}{}\n", listens_at.to_str().unwrap_or_default());
        let runtime = lock(runtime_dir, if is_one_folder { &text } else { &pid });
        let runtime = runtime.map_err(|source| in_folder(runtime_dir, source))?;
        let runtime =
            runtime.map_err(|holder| LockError::Held { pid: holder.pid, runtime_dir: listens_at.clone() })?;
        if is_one_folder {
            return Ok(Self { _runtime: runtime, _state: None });
        }
        let state = match lock(state_dir, &text) {
            Ok(Ok(state)) => Some(state),
            Ok(Err(Holder { pid, runtime_dir })) => {
                return Err(LockError::Held { pid, runtime_dir: runtime_dir.unwrap_or(listens_at) });
            }
            // The state folder is on a network file system without locks.
            Err(error) if is_unsupported(&error) => {
                tracing::warn!(%error, "the state folder cannot be locked; use it from one session only");
                None
            }
            Err(source) => return Err(in_folder(state_dir, source)),
        };
        Ok(Self { _runtime: runtime, _state: state })
    }
}

/// Returns the runtime folder of the engine that uses this state folder, or that used it last.
pub fn listens_at(state_dir: &Path) -> Option<PathBuf> {
    let text = private_files::read(&state_dir.join(FILE), LONGEST_TEXT).ok()?;
    holder(&String::from_utf8_lossy(&text)).runtime_dir
}

/// The holder according to the lock file. Both fields are `None` until the holder has written the file.
struct Holder {
    pid: Option<u32>,
    runtime_dir: Option<PathBuf>,
}

fn lock(folder: &Path, text: &str) -> io::Result<Result<File, Holder>> {
    let mut file = create_private(&folder.join(FILE)).map_err(io::Error::other)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Err(read(file))),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        tracing::warn!(%error, "the lock file could not be written");
    }
    Ok(Ok(file))
}

/// `io::ErrorKind` has no variant for ENOLCK.
fn is_unsupported(error: &io::Error) -> bool {
    const ENOLCK: i32 = if cfg!(target_os = "linux") { 37 } else { 77 };
    error.kind() == io::ErrorKind::Unsupported || (cfg!(unix) && error.raw_os_error() == Some(ENOLCK))
}

fn in_folder(folder: &Path, source: io::Error) -> LockError {
    LockError::Io { folder: folder.to_owned(), source }
}

fn read(file: File) -> Holder {
    let mut text = String::new();
    let _ = file.take(LONGEST_TEXT).read_to_string(&mut text);
    holder(&text)
}

fn holder(text: &str) -> Holder {
    let mut lines = text.lines();
    Holder {
        pid: lines.next().and_then(|line| line.trim().parse().ok()),
        runtime_dir: lines.next().map(PathBuf::from).filter(|path| path.is_absolute()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_learns_the_pid_and_the_runtime_folder_of_the_holder() {
        let folder = tempfile::tempdir().expect("create a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let lock = EngineLock::take(&at("state"), &at("runtime")).expect("take the free lock");
        for (state, runtime) in [("state", "runtime"), ("other state", "runtime"), ("state", "other runtime")]
        {
            match EngineLock::take(&at(state), &at(runtime)) {
                Err(LockError::Held { pid, runtime_dir }) => {
                    assert_eq!((pid, runtime_dir), (Some(std::process::id()), at("runtime")));
                }
                other => panic!("{other:?}"),
            }
        }
        EngineLock::take(&at("other state"), &at("other runtime")).expect("other folders have another lock");
        drop(lock);
        EngineLock::take(&at("state"), &at("other runtime")).expect("the lock was released");
        assert_eq!(listens_at(&at("state")), Some(at("other runtime")));

        let _both = EngineLock::take(&at("one"), &at("one")).expect("lock one folder for both");
        assert!(matches!(EngineLock::take(&at("one"), &at("one")), Err(LockError::Held { .. })));
    }
}
