//! The app's own JSON files in the state folder. Losing a file loses no sign-in, except that of the demo.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use usher_secrets::private_files;

/// Far more than any of these files needs.
const MAX_SIZE: u64 = 64 * 1024;

/// Reads a file. `None` if it is missing, invalid, too large, a symbolic link or accessible to other users.
pub fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = private_files::read(path, MAX_SIZE).ok()?;
    serde_json::from_slice(&text)
        .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "ignoring an invalid file"))
        .ok()
}

/// Writes a file atomically. The caller must ensure that there is only one writer at a time.
pub fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    private_files::create_private_dir(folder)?;
    private_files::replace(path, &serde_json::to_vec_pretty(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_file_loads_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/state.json");
        assert_eq!(load::<Vec<u8>>(&path), None);
        save(&path, &vec![1u8, 2]).unwrap();
        assert_eq!(load::<Vec<u8>>(&path), Some(vec![1, 2]));
        std::fs::write(&path, "{").unwrap(); // Its mode stays 0600.
        assert_eq!(load::<Vec<u8>>(&path), None);
    }
}
