//! Small files of the state folder: what the shell itself remembers. Losing one loses no sign-in.

use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use usher_secrets::private_files;

/// None of these files comes near it.
const LARGEST: u64 = 64 * 1024;

/// Reads a file; a missing or broken one, or a link, is as good as none.
pub fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut text = Vec::new();
    private_files::open_private(path).ok()?.take(LARGEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text)
        .inspect_err(
            |error| tracing::warn!(path = %path.display(), %error, "ignoring a file that cannot be read"),
        )
        .ok()
}

/// Writes a file whole or not at all.
pub fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    private_files::create_private_dir(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_what_is_broken_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/kept.json");
        assert_eq!(load::<Vec<u8>>(&path), None);
        save(&path, &vec![1u8, 2]).unwrap();
        assert_eq!(load::<Vec<u8>>(&path), Some(vec![1, 2]));
        std::fs::write(&path, "{").unwrap(); // Its mode stays 0600.
        assert_eq!(load::<Vec<u8>>(&path), None);
    }
}
