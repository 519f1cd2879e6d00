//! Files and folders that only their owner can access. Symbolic links are not followed.

use std::io::{Read, Write};
use std::path::Path;
use std::{fs, io};

use crate::Error;

/// Opens a file for reading. Fails if it is a symbolic link, belongs to another user, or is accessible to others.
pub(crate) fn open_private(path: &Path) -> Result<fs::File, Error> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    open(path, &mut options, "open")
}

/// Reads up to `limit` bytes of a private file.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_private(path).map_err(|error| match error {
        Error::Io { source, .. } => source,
        error => io::Error::other(error),
    })?;
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file for reading and writing. Creates it with mode 0600 if it does not exist, and never truncates it.
pub fn create_private(path: &Path) -> Result<fs::File, Error> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open(path, &mut options, "create")
}

/// Replaces the file with a new one (mode 0600) that is synced to disk.
///
/// The temporary file always has the same name. Callers must therefore ensure that there is only one writer at a
/// time. If a writer is killed, the next write removes its temporary file.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    remove_if_exists(&folder.join(&name))?;
    let mut file = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    if cfg!(unix) {
        // The folder is synced, so that the rename survives a power failure.
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Returns the folder of a file, or `.` if the path has no folder.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a file. Returns `false` if there was none.
pub fn remove_if_exists(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates the folder and its parents with mode 0700. An existing folder is not changed.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Like [`create_private_dir`], but fails if other users can access an existing folder. Use it for locks and sockets,
/// because only their folder protects them.
pub fn ensure_private_dir(path: &Path) -> Result<(), Error> {
    let io_error = |source| Error::Io { action: "create", path: path.to_owned(), source };
    create_private_dir(path).map_err(io_error)?;
    let metadata = fs::symlink_metadata(path).map_err(io_error)?;
    if cfg!(unix) && !metadata.is_dir() {
        return Err(not_safe(path, "it is not a folder"));
    }
    check_access(path, &metadata)
}

fn not_safe(path: &Path, why: &'static str) -> Error {
    Error::UnsafeFile { path: path.to_owned(), why }
}

/// Fails if other users can access the file or folder.
#[cfg(unix)]
fn check_access(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;

    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(not_safe(path, "it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(not_safe(path, "other users can access it"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_access(_path: &Path, _metadata: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
fn open(path: &Path, options: &mut fs::OpenOptions, action: &'static str) -> Result<fs::File, Error> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    // `NONBLOCK` is set because opening a named pipe could block. Pipes are rejected below.
    options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    let file =
        options.open(path).map_err(|error| match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::LOOP | Errno::MLINK) => not_safe(path, "it is a symbolic link"),
            Some(_) | None => Error::Io { action, path: path.to_owned(), source: error },
        })?;
    let metadata = file.metadata().map_err(|source| Error::Io { action, path: path.to_owned(), source })?;
    if !metadata.is_file() {
        return Err(not_safe(path, "it is not a regular file"));
    }
    check_access(path, &metadata)?;
    Ok(file)
}

#[cfg(not(unix))]
fn open(path: &Path, options: &mut fs::OpenOptions, action: &'static str) -> Result<fs::File, Error> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if is_link {
        return Err(not_safe(path, "it is a symbolic link"));
    }
    options.open(path).map_err(|source| Error::Io { action, path: path.to_owned(), source })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_that_others_can_access_is_rejected() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("a/run");
        ensure_private_dir(&folder).unwrap();
        ensure_private_dir(&folder).unwrap();
        for mode in [0o711, 0o770, 0o705] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            let error = ensure_private_dir(&folder).unwrap_err();
            assert!(
                matches!(error, Error::UnsafeFile { why: "other users can access it", .. }),
                "{mode:o}: {error}"
            );
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let link = temp.path().join("link");
        symlink(&folder, &link).unwrap();
        assert!(matches!(
            ensure_private_dir(&link),
            Err(Error::UnsafeFile { why: "it is not a folder", .. })
        ));
    }
}
