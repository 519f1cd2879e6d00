//! Checks that the files, pictures and tests named in the documents exist, and that every library has an example.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

#[test]
fn files_named_in_a_document_exist() {
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).expect("read the document");
        let missing: Vec<_> = code(&text).filter(|word| is_path(word) && !exists(word)).collect();
        assert!(missing.is_empty(), "{document} names {missing:?}");
        let pictures: Vec<_> = pictures(&text).filter(|picture| !root().join(picture).is_file()).collect();
        assert!(pictures.is_empty(), "{document} shows {pictures:?}");
    }
}

#[test]
fn tests_named_in_the_architecture_exist() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let tests = ["crates", "src-tauri", "tests"].map(sources).concat();
    let words = text.split([' ', ',', ';', '|', '`', '\n']);
    let named: Vec<&str> = words
        .filter_map(|word| word.rsplit_once("::"))
        .map(|(_, name)| name)
        .filter(|name| name.matches('_').count() >= 2)
        .collect();
    assert!(named.len() >= 8, "too few test names were found: {named:?}");
    let missing: Vec<_> = named.iter().filter(|name| !tests.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names {missing:?}");
}

#[test]
fn every_library_has_an_example() {
    for folder in
        fs::read_dir(root().join("crates")).expect("read crates/").map(|entry| entry.expect("an entry"))
    {
        let library = folder.path().join("src/lib.rs");
        let Ok(text) = fs::read_to_string(&library) else { continue };
        let has_example = text.lines().any(|line| line.starts_with("//! ```"));
        assert!(has_example, "{} has no example", library.display());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

/// The text between backticks, without fenced blocks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2))
}

fn pictures(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|path| path.ends_with(".png"))
}

/// Whether a word is a path in the repository, rather than a path on another machine, a pattern or a command.
fn is_path(word: &str) -> bool {
    let has_extension = [".rs", ".ts", ".toml", ".json"].iter().any(|extension| word.ends_with(extension));
    has_extension && word.contains('/') && !word.contains([' ', '*', '~', '%', '$', '{'])
}

/// Whether the path exists. The documents mention crates without `crates/`.
fn exists(path: &str) -> bool {
    root().join(path).exists() || root().join("crates").join(path).exists()
}

/// The text of every Rust source below a folder.
fn sources(folder: &str) -> String {
    let entries = WalkDir::new(root().join(folder)).into_iter();
    let entries =
        entries.filter_entry(|entry| entry.file_name() != "node_modules" && entry.file_name() != "target");
    let files = entries.map(|entry| entry.expect("an entry").into_path());
    let sources = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    sources.map(|file| fs::read_to_string(file).expect("read the source")).collect()
}
