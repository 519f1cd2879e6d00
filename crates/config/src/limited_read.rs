//! Reads a file with a limit.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::{fs, io};

/// Reads at most one byte more than the limit, so that the caller can report a larger file. Fails for a pipe or a
/// device, which could block the reader or never end.
pub(crate) fn read_limited(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(max_bytes + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
