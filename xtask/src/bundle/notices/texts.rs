//! The licence files in the source of a component.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use walkdir::{DirEntry, WalkDir};

const NAMES: [&str; 6] = ["copying", "copyright", "licence", "license", "notice", "unlicense"];

/// Returns the licence texts beside the manifest and below `src`, sorted by file name. Copied code below `src` may have
/// its own licence. Other folders of a package (such as tests) are not built into the programs.
pub fn read(source: &Path) -> Result<Vec<String>> {
    let is_read =
        |entry: &DirEntry| entry.depth() != 1 || entry.file_type().is_file() || entry.file_name() == "src";
    let mut texts: Vec<String> = Vec::new();
    for entry in WalkDir::new(source).sort_by_file_name().into_iter().filter_entry(is_read) {
        let entry = entry?;
        if entry.file_type().is_dir() || !is_licence_file(entry.path()) {
            continue;
        }
        let bytes = fs::read(entry.path()).with_context(|| format!("read {}", entry.path().display()))?;
        let text = normalize(&String::from_utf8_lossy(&bytes));
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    Ok(texts)
}

fn is_licence_file(path: &Path) -> bool {
    let is_code =
        path.extension().is_some_and(|extension| ["rs", "js", "ts"].iter().any(|code| extension == *code));
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    !is_code && NAMES.iter().any(|prefix| name.starts_with(prefix))
}

/// Removes the differences between copies of one text: line endings, trailing spaces and surrounding empty lines.
pub fn normalize(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_source_and_of_copied_code_are_read() {
        let folder = tempfile::tempdir().expect("temp dir");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent folder")).expect("create the folder");
            fs::write(path, text).expect("write the file");
        };
        write("LICENSE-MIT", "\r\n  Copyright  \r\nMIT\r\n");
        write("license-copy.txt", "\n  Copyright\nMIT");
        write("UNLICENSE", "Free.");
        write("README.md", "About.");
        write("src/license.rs", "fn main() {}");
        write("src/spin/LICENSE", "Copied.");
        write("vendor/library/COPYING", "Not built in.");
        assert_eq!(read(folder.path()).expect("texts"), ["  Copyright\nMIT", "Free.", "Copied."]);
    }
}
