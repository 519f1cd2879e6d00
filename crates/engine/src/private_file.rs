//! Small files of ours in the state folder: read without following links, replaced as a whole.

use std::io;
use std::path::Path;

use usher_secrets::private;

/// A link in the file's place, or a file of somebody else's, is an error. What is longer than `largest` is cut.
pub(crate) fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = private::open_private(path).map_err(|error| match error {
        usher_secrets::Error::Io { source, .. } => source,
        error => io::Error::other(error),
    })?;
    io::Read::read_to_end(&mut io::Read::take(file, largest), &mut bytes)?;
    Ok(bytes)
}

/// A new file (0600) beside the old one, flushed to the disk, then put in its place.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The rename itself is on the disk when the folder is; not every system lets one open a folder.
    let _ = private::sync_dir(folder);
    Ok(())
}
