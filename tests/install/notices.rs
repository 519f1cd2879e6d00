//! The third-party notices: every crate and npm package in the programs, with its licence and licence texts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;
use usher_tests::paths;

use crate::package::{Package, run};

#[test]
fn every_crate_is_listed_with_its_licence_and_its_texts() -> Result<()> {
    let notices = Notices::read()?;
    let sources = sources()?;
    let crates = crates()?;
    assert!(crates.len() > 200, "cargo lists only {} crates", crates.len());
    for (name, licence) in crates {
        let notice = notices.works.get(&name).with_context(|| format!("{name} is not listed"))?;
        assert_eq!(notice.licence, licence, "{name}");
        let source = sources.get(&name).with_context(|| format!("{name} has no source"))?;
        let mut has_text = false;
        for file in licence_files(source)? {
            let text = normalize(&String::from_utf8_lossy(&std::fs::read(&file)?));
            assert!(notices.texts.contains(&text), "{} is not in the notices", file.display());
            has_text |= !text.is_empty();
        }
        assert_eq!(!notice.texts.is_empty(), has_text, "{name}: {:?}", notice.texts);
    }
    Ok(())
}

#[test]
fn npm_packages_in_the_ui_are_listed_too() -> Result<()> {
    let notices = Notices::read()?;
    let manifest = std::fs::read_to_string(paths::repository().join("ui/package.json"))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    // Packages of code, icons, generated code and styles.
    let packages = [
        "@inlang/paraglide-js",
        "bits-ui",
        "daisyui",
        "dompurify",
        "marked",
        "simple-icons",
        "svelte",
        "tailwindcss",
    ];
    for name in packages {
        let version = manifest["devDependencies"][name].as_str().context(name)?;
        let notice = notices.works.get(&format!("{name} {version}"));
        let notice = notice.with_context(|| format!("{name} {version} is not listed"))?;
        assert!(!notice.texts.is_empty(), "{name} has no text");
    }
    // Only the UI's tests use vitest.
    assert!(!notices.works.keys().any(|work| work.starts_with("vitest ")));
    Ok(())
}

#[test]
fn every_reference_has_a_text() -> Result<()> {
    let notices = Notices::read()?;
    let mut count = 0;
    for (name, notice) in &notices.works {
        for number in &notice.texts {
            let (_, text) =
                notices.texts.split_once(&format!("==== {number} =")).with_context(|| number.clone())?;
            let text = text.trim_start_matches('=').split(" ==== [").next().unwrap_or_default();
            assert!(text.trim().len() > 10, "{name} refers to {number}, which is “{text}”");
            count += 1;
        }
    }
    assert!(count > 400, "only {count} references");
    Ok(())
}

/// The parsed notices file of the package.
struct Notices {
    /// By name and version.
    works: BTreeMap<String, Notice>,
    /// The section of licence texts, with white space normalized.
    texts: String,
}

#[derive(Default)]
struct Notice {
    licence: String,
    /// References such as `[12]` to the licence texts.
    texts: Vec<String>,
}

impl Notices {
    fn read() -> Result<Notices> {
        let folder = tempfile::tempdir()?;
        Package::find()?.unpack(folder.path())?;
        let file = folder.path().join("usr/share/doc/usher/THIRD-PARTY-NOTICES.gz");
        let all = run(Command::new("gzip").args(["--decompress", "--stdout"]).arg(file))?;
        let (list, texts) = all.split_once("\n==== The texts ").context("no texts")?;
        let mut works = BTreeMap::new();
        for paragraph in list.split("\n\n") {
            let mut lines = paragraph.lines();
            let (Some(work), Some(licence)) = (lines.next(), lines.next()) else { continue };
            if let Some(licence) = licence.strip_prefix("    ") {
                let numbers = lines.next_back().filter(|line| line.starts_with("    ["));
                let numbers = numbers.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
                works.insert(work.to_owned(), Notice { licence: licence.to_owned(), texts: numbers });
            }
        }
        Ok(Notices { works, texts: normalize(texts) })
    }
}

/// The licence of every third-party crate in the two programs on this machine, by "name version".
fn crates() -> Result<BTreeMap<String, String>> {
    let mut tree = cargo();
    tree.args(["tree", "--locked", "-e", "normal", "-p", "usher-desktop", "-p", "usher-cli"]);
    let tree = run(tree.args(["--no-dedupe", "--prefix", "none", "--format", "{p}|{l}"]))?;
    let third_party =
        tree.lines().filter_map(|line| line.split_once('|')).filter(|(work, _)| !work.contains("(/"));
    let licences = third_party.map(|(work, licence)| {
        let mut words = work.split(' ');
        let name = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default().trim_start_matches('v');
        (format!("{name} {version}"), licence.to_owned())
    });
    Ok(licences.collect())
}

/// The source folder of every crate, by "name version".
fn sources() -> Result<BTreeMap<String, PathBuf>> {
    let metadata = run(cargo().args(["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let folders = packages.iter().filter_map(|package| {
        let name = format!("{} {}", package["name"].as_str()?, package["version"].as_str()?);
        Some((name, Path::new(package["manifest_path"].as_str()?).parent()?.to_owned()))
    });
    Ok(folders.collect())
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(paths::repository());
    cargo
}

/// The files beside a crate's manifest whose names begin like those of licences.
fn licence_files(source: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(source)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let is_licence =
            ["license", "licence", "copying", "unlicense"].iter().any(|word| name.starts_with(word));
        if is_licence && path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn normalize(text: &str) -> String {
    text.trim_start_matches('\u{feff}').split_whitespace().collect::<Vec<_>>().join(" ")
}
