//! The notices of others' works: every crate and every npm package inside the programs, with its licence and its texts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;
use usher_tests::place;

use crate::package::{Package, said};

#[test]
fn every_crate_is_named_with_its_licence_and_its_texts() -> Result<()> {
    let notices = Notices::read()?;
    let sources = sources()?;
    let crates = crates()?;
    assert!(crates.len() > 200, "cargo names only {} crates", crates.len());
    for (name, licence) in crates {
        let notice = notices.works.get(&name).with_context(|| format!("{name} is not named"))?;
        assert_eq!(notice.licence, licence, "{name}");
        let source = sources.get(&name).with_context(|| format!("{name} has no source"))?;
        let mut has_text = false;
        for file in licence_files(source)? {
            let text = even(&String::from_utf8_lossy(&std::fs::read(&file)?));
            assert!(notices.texts.contains(&text), "{} does not stand in the notices", file.display());
            has_text |= !text.is_empty();
        }
        assert_eq!(!notice.texts.is_empty(), has_text, "{name}: {:?}", notice.texts);
    }
    Ok(())
}

#[test]
fn what_the_pages_are_made_of_is_named_too() -> Result<()> {
    let notices = Notices::read()?;
    let manifest = std::fs::read_to_string(place::repository().join("ui/package.json"))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    // Code, pictures, generated code, and styles.
    let packages =
        ["@inlang/paraglide-js", "bits-ui", "daisyui", "dompurify", "simple-icons", "svelte", "tailwindcss"];
    for name in packages {
        let version = manifest["devDependencies"][name].as_str().context(name)?;
        let notice = notices.works.get(&format!("{name} {version}"));
        let notice = notice.with_context(|| format!("{name} {version} is not named"))?;
        assert!(!notice.texts.is_empty(), "{name} has no text");
    }
    // Only the pages' tests use it.
    assert!(!notices.works.keys().any(|work| work.starts_with("vitest ")));
    Ok(())
}

#[test]
fn every_number_leads_to_a_text() -> Result<()> {
    let notices = Notices::read()?;
    let mut count = 0;
    for (name, notice) in &notices.works {
        for number in &notice.texts {
            let (_, text) =
                notices.texts.split_once(&format!("==== {number} =")).with_context(|| number.clone())?;
            let text = text.trim_start_matches('=').split(" ==== [").next().unwrap_or_default();
            assert!(text.trim().len() > 10, "{name} leads to {number}: “{text}”");
            count += 1;
        }
    }
    assert!(count > 400, "only {count} numbers");
    Ok(())
}

/// The file in the package, read as a person does.
struct Notices {
    /// By name and version.
    works: BTreeMap<String, Notice>,
    /// What stands below, all white space made even.
    texts: String,
}

#[derive(Default)]
struct Notice {
    licence: String,
    texts: Vec<String>,
}

impl Notices {
    fn read() -> Result<Notices> {
        let folder = tempfile::tempdir()?;
        Package::find()?.unpack(folder.path())?;
        let file = folder.path().join("usr/share/doc/usher/THIRD-PARTY-NOTICES.gz");
        let all = said(Command::new("gzip").args(["--decompress", "--stdout"]).arg(file))?;
        let (above, below) = all.split_once("\n==== The texts ").context("no texts")?;
        let mut works = BTreeMap::new();
        for paragraph in above.split("\n\n") {
            let mut lines = paragraph.lines();
            let (Some(work), Some(licence)) = (lines.next(), lines.next()) else { continue };
            if let Some(licence) = licence.strip_prefix("    ") {
                let numbers = lines.next_back().filter(|line| line.starts_with("    ["));
                let texts = numbers.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
                works.insert(work.to_owned(), Notice { licence: licence.to_owned(), texts });
            }
        }
        Ok(Notices { works, texts: even(below) })
    }
}

/// "name version" of every crate that cargo builds both programs of for this machine, but for our own; its licence.
fn crates() -> Result<BTreeMap<String, String>> {
    let mut tree = cargo();
    tree.args(["tree", "--locked", "-e", "normal", "-p", "usher-desktop", "-p", "usher-cli"]);
    let tree = said(tree.args(["--no-dedupe", "--prefix", "none", "--format", "{p}|{l}"]))?;
    let others =
        tree.lines().filter_map(|line| line.split_once('|')).filter(|(work, _)| !work.contains("(/"));
    let named = others.map(|(work, licence)| {
        let mut words = work.split(' ');
        let name = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default().trim_start_matches('v');
        (format!("{name} {version}"), licence.to_owned())
    });
    Ok(named.collect())
}

/// Where the sources of crates lie, by name and version.
fn sources() -> Result<BTreeMap<String, PathBuf>> {
    let metadata = said(cargo().args(["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let placed = packages.iter().filter_map(|package| {
        let name = format!("{} {}", package["name"].as_str()?, package["version"].as_str()?);
        Some((name, Path::new(package["manifest_path"].as_str()?).parent()?.to_owned()))
    });
    Ok(placed.collect())
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(place::repository());
    cargo
}

/// The files beside a crate's manifest that anybody takes for its licence.
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

fn even(text: &str) -> String {
    text.trim_start_matches('\u{feff}').split_whitespace().collect::<Vec<_>>().join(" ")
}
