//! The desktop entry that a package installs for all users. If that entry starts this program, Usher writes none of its
//! own, because Usher's own entry would remain after the package is removed.

use std::fs;
use std::path::{Path, PathBuf};

/// The bundler names the file after the product.
pub const ENTRY: &str = "Usher.desktop";

/// Whether a package installed `program` with an entry for `mime_type`: the program in `PREFIX/bin`, the entry in
/// `PREFIX/share/applications`, and `PREFIX/share` among the `shared` folders that the system searches.
pub fn handles_links(program: &Path, shared: &[PathBuf], mime_type: &str) -> bool {
    let Some(share) = program.parent().and_then(Path::parent).map(|prefix| prefix.join("share")) else {
        return false;
    };
    if !shared.contains(&share) {
        return false;
    }
    let text = fs::read_to_string(share.join("applications").join(ENTRY)).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("MimeType="))
        .any(|types| types.split(';').any(|entry| entry.trim() == mime_type))
}

/// Returns the folders of `$XDG_DATA_DIRS`, or its default (XDG Base Directory Specification).
pub fn shared_folders(value: Option<&str>) -> Vec<PathBuf> {
    let value = value.filter(|value| !value.is_empty()).unwrap_or("/usr/local/share:/usr/share");
    std::env::split_paths(value).filter(|path| path.is_absolute()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_beside_the_program_handles_its_links() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("usr/bin/usher-desktop");
        let share = root.path().join("usr/share");
        let shared = [PathBuf::from("/usr/share"), share.clone()];
        let handles =
            |shared: &[PathBuf]| handles_links(&program, shared, "x-scheme-handler/dev.usher.desktop");
        assert!(!handles(&shared));
        fs::create_dir_all(share.join("applications")).unwrap();
        let entry = share.join("applications").join(ENTRY);
        fs::write(&entry, "[Desktop Entry]\nMimeType=a/b;x-scheme-handler/dev.usher.desktop;\n").unwrap();
        assert!(handles(&shared));
        assert!(!handles(&shared[..1]), "the system does not search there");
        fs::write(&entry, "[Desktop Entry]\nMimeType=x-scheme-handler/dev.usher.desktop.other;\n").unwrap();
        assert!(!handles(&shared));
    }

    #[test]
    fn shared_folders_are_absolute_and_have_a_default() {
        let usual = [PathBuf::from("/usr/local/share"), PathBuf::from("/usr/share")];
        assert_eq!(shared_folders(None), usual);
        assert_eq!(shared_folders(Some("")), usual);
        assert_eq!(shared_folders(Some("/a/:b:/c")), [PathBuf::from("/a/"), PathBuf::from("/c")]);
    }
}
