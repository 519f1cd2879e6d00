//! The files in a source that say something about its licence.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const NAMES: [&str; 6] = ["copying", "copyright", "licence", "license", "notice", "unlicense"];

/// Their texts, by the files' names: those beside the manifest, and those below `src`, where a source keeps works of
/// others that it took in. What else a package brings (a C library's source, tests) is not built into the programs.
pub fn of(source: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    look(source, false, &mut files)?;
    let inner = source.join("src");
    if inner.is_dir() {
        look(&inner, true, &mut files)?;
    }
    files.sort();
    let mut texts: Vec<String> = Vec::new();
    for file in files {
        let bytes = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let text = even(&String::from_utf8_lossy(&bytes));
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    Ok(texts)
}

fn look(folder: &Path, deeper: bool, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("look into {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if deeper {
                look(&path, true, files)?;
            }
        } else if is_about_licences(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_about_licences(path: &Path) -> bool {
    let is_code =
        path.extension().is_some_and(|ending| ["rs", "js", "ts"].iter().any(|code| ending == *code));
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    !is_code && NAMES.iter().any(|begin| name.starts_with(begin))
}

/// Without what differs between copies of one text: ends of lines, and empty lines around it.
pub fn even(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_source_itself_and_of_what_it_took_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("LICENSE-MIT", "\r\n  Copyright  \r\nMIT\r\n");
        write("license-copy.txt", "\n  Copyright\nMIT");
        write("UNLICENSE", "Free.");
        write("README.md", "About.");
        write("src/license.rs", "fn main() {}");
        write("src/spin/LICENSE", "Taken in.");
        write("vendor/library/COPYING", "Not built in.");
        assert_eq!(of(folder.path()).expect("texts"), ["  Copyright\nMIT", "Free.", "Taken in."]);
    }
}
