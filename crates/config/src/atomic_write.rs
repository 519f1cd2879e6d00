//! Replaces a file atomically and writes through symbolic links.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use tempfile::NamedTempFile;

/// The maximum wait for the lock on the folder. An edit takes a few milliseconds.
const LOCK_DEADLINE: Duration = Duration::from_secs(5);
/// The maximum length of a chain of links. A longer chain counts as a cycle.
const MAX_LINKS: usize = 32;

/// Resolves a chain of links. The file at its end may be missing.
pub(crate) fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => path = folder_of(&path).join(fs::read_link(&path)?),
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// Creates the target's folder if it is missing. Locks the folder against other Usher processes until the lock is
/// dropped. Fails if another program holds the lock for too long. Changes by other programs are detected by comparing contents.
pub(crate) fn lock_folder(target: &Path) -> io::Result<Option<fs::File>> {
    let folder = folder_of(target);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)?;
    // Windows cannot open folders. On Windows, only the comparison of contents protects the file.
    if cfg!(windows) {
        return Ok(None);
    }
    let lock = fs::File::open(folder)?;
    let started = Instant::now();
    // Another program may never release the lock, and `File::lock` has no deadline, so the lock is polled.
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(fs::TryLockError::WouldBlock) if started.elapsed() < LOCK_DEADLINE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(fs::TryLockError::WouldBlock) => return Err(ErrorKind::TimedOut.into()),
            // Some network file systems do not support locks.
            Err(fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The new contents in a temporary file next to the target, written and synced.
pub(crate) struct Prepared(NamedTempFile);

/// Writes the temporary file with the target's permissions. If the target is missing, only the owner can read the file.
pub(crate) fn prepare(target: &Path, bytes: &[u8]) -> io::Result<Prepared> {
    let mut file = tempfile::Builder::new().prefix(".mcp-").suffix(".tmp").tempfile_in(folder_of(target))?;
    match fs::metadata(target) {
        Ok(metadata) if metadata.permissions().readonly() => {
            return Err(io::Error::new(ErrorKind::PermissionDenied, "the file is read-only"));
        }
        Ok(metadata) => file.as_file().set_permissions(metadata.permissions())?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(Prepared(file))
}

impl Prepared {
    /// Replaces the target.
    pub fn commit(self, target: &Path) -> io::Result<()> {
        self.0.persist(target).map_err(|error| error.error)?;
        sync_folder(target)
    }

    /// Creates the target, unless it exists. Returns whether it was created.
    pub fn commit_new(self, target: &Path) -> io::Result<bool> {
        match self.0.persist_noclobber(target) {
            Ok(_) => sync_folder(target).map(|()| true),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    }
}

fn sync_folder(target: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder_of(target))?.sync_all() } else { Ok(()) }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}
