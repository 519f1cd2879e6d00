//! Replacing a file so that nobody ever sees half of it, and a link to it stays a link.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::{fs, io};

use tempfile::NamedTempFile;

/// Links behind links; more are a circle.
const MOST_LINKS: usize = 32;

/// The file that a chain of links ends at, which need not exist.
pub(crate) fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => path = folder_of(&path).join(fs::read_link(&path)?),
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its links go round in a circle"))
}

/// Makes the folder where it is missing, and keeps other Usher processes from writing there until dropped.
/// Other programs are noticed by comparing contents.
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
    // Windows opens no folders; there the comparison has to do.
    if cfg!(windows) {
        return Ok(None);
    }
    let lock = fs::File::open(folder)?;
    match lock.lock() {
        Ok(()) => Ok(Some(lock)),
        // Some network file systems know no locks.
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

/// The new contents, written and synced beside the target.
pub(crate) struct Prepared(NamedTempFile);

/// Keeps the target's permissions; a new file is the owner's alone.
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
    /// Takes the target's place.
    pub fn commit(self, target: &Path) -> io::Result<()> {
        self.0.persist(target).map_err(|error| error.error)?;
        if cfg!(unix) { fs::File::open(folder_of(target))?.sync_all() } else { Ok(()) }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}
