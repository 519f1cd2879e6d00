//! Files and folders that only their owner can access. Symbolic links are not followed.

use std::io::{Read, Write};
use std::path::Path;
use std::{fs, io};

use crate::Error;

/// Opens a file for reading. Fails if it is a symbolic link, belongs to another user, or is accessible to others.
pub fn open_private(path: &Path) -> Result<fs::File, Error> {
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
/// Allows only one writer at a time. The temporary file always has the same name, so a write also removes the
/// temporary file of a killed writer.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    match fs::remove_file(folder.join(&name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_dir(folder)
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

/// As [`create_private_dir`], but fails if other users can access an existing folder. Used for locks and sockets, which
/// only the folder protects.
pub fn ensure_private_dir(path: &Path) -> Result<(), Error> {
    let io_error = |source| Error::Io { action: "create", path: path.to_owned(), source };
    create_private_dir(path).map_err(io_error)?;
    check_dir(path, &fs::symlink_metadata(path).map_err(io_error)?)
}

#[cfg(unix)]
fn check_dir(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;

    let not_safe = |why| Err(Error::UnsafeFile { path: path.to_owned(), why });
    match metadata {
        folder if !folder.is_dir() => not_safe("it is not a folder"),
        folder if folder.uid() != rustix::process::geteuid().as_raw() => {
            not_safe("it belongs to another user")
        }
        folder if folder.mode() & 0o077 != 0 => not_safe("other users can access it"),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_dir(_path: &Path, _metadata: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

/// Syncs the folder, so that a rename in it survives a power failure.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(unix)]
fn open(path: &Path, options: &mut fs::OpenOptions, action: &'static str) -> Result<fs::File, Error> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    let not_safe = |why| Error::UnsafeFile { path: path.to_owned(), why };
    // `NONBLOCK`, because opening a named pipe could block. Pipes are rejected below.
    options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    let file =
        options.open(path).map_err(|error| match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::LOOP | Errno::MLINK) => not_safe("it is a symbolic link"),
            Some(_) | None => Error::Io { action, path: path.to_owned(), source: error },
        })?;
    let metadata = file.metadata().map_err(|source| Error::Io { action, path: path.to_owned(), source })?;
    if !metadata.is_file() {
        return Err(not_safe("it is not a regular file"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(not_safe("it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(not_safe("other users can access it"));
    }
    Ok(file)
}

#[cfg(not(unix))]
fn open(path: &Path, options: &mut fs::OpenOptions, action: &'static str) -> Result<fs::File, Error> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if is_link {
        return Err(Error::UnsafeFile { path: path.to_owned(), why: "it is a symbolic link" });
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
