//! The crates inside the programs: which they are, as cargo resolves them, and what their sources say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Part, licence, texts};
use crate::bundle::answer;
use crate::repository::Repository;

/// The packages whose programs are packed.
const PROGRAMS: [&str; 4] = ["-p", "usher-desktop", "-p", "usher-cli"];

/// By name and version; the standard library, which every program contains, first.
pub fn read(repository: &Repository) -> Result<Vec<Part>> {
    let compiler = answer(repository.command("rustc").arg("-vV"))?;
    let said = |what: &str| {
        let value = compiler.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
        value.with_context(|| format!("rustc names no {what}"))
    };
    let inside = inside(repository, said("host")?)?;
    let known = known(repository, said("host")?)?;
    let mut parts = vec![standard_library(repository, said("release")?)?];
    for of in inside {
        let package = known.get(&of).with_context(|| format!("cargo does not know {} {}", of.0, of.1))?;
        // Our own are not others' work.
        if package["source"].is_null() {
            continue;
        }
        parts.push(part(package).with_context(|| format!("the notices of {} {}", of.0, of.1))?);
    }
    Ok(parts)
}

type NameAndVersion = (String, String);

/// Whatever the programs are made of with the features that they are built with, macros too.
fn inside(repository: &Repository, host: &str) -> Result<BTreeSet<NameAndVersion>> {
    let mut ask = repository.cargo();
    ask.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--no-dedupe"]);
    let tree = answer(ask.args(["--target", host]).args(PROGRAMS))?;
    Ok(tree.lines().filter_map(name_and_version).collect())
}

/// Reads `serde v1.0.229 (proc-macro)`.
fn name_and_version(line: &str) -> Option<NameAndVersion> {
    let mut words = line.split(' ');
    let name = words.next()?.to_owned();
    Some((name, words.next()?.strip_prefix('v')?.to_owned()))
}

/// What the manifests say of every package of this system.
fn known(repository: &Repository, host: &str) -> Result<BTreeMap<NameAndVersion, Value>> {
    let mut ask = repository.cargo();
    ask.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host]);
    let mut metadata: Value = serde_json::from_str(&answer(&mut ask)?).context("read cargo's metadata")?;
    let packages = metadata["packages"].as_array_mut().context("cargo's metadata has no packages")?;
    let named = std::mem::take(packages).into_iter().map(|package| {
        let of = (word(&package, "name")?.to_owned(), word(&package, "version")?.to_owned());
        Ok((of, package))
    });
    named.collect()
}

fn part(package: &Value) -> Result<Part> {
    let (name, version) = (word(package, "name")?, word(package, "version")?);
    let manifest = Path::new(word(package, "manifest_path")?);
    let texts = texts::of(manifest.parent().context("a manifest without a folder")?)?;
    Ok(Part {
        licence: licence(&package["license"], &texts)?,
        source: match package["repository"].as_str() {
            Some(repository) => repository.to_owned(),
            None => format!("https://crates.io/crates/{name}/{version}"),
        },
        name: name.to_owned(),
        version: version.to_owned(),
        texts,
    })
}

fn word<'a>(package: &'a Value, field: &str) -> Result<&'a str> {
    package[field].as_str().with_context(|| format!("a package of cargo's metadata has no {field}"))
}

/// Its texts lie where rustup puts them; another toolchain may leave them out.
fn standard_library(repository: &Repository, version: &str) -> Result<Part> {
    let folder = answer(repository.command("rustc").args(["--print", "sysroot"]))?;
    let folder = Path::new(folder.trim()).join("share/doc/rust/licenses");
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let texts = ["MIT.txt", "Apache-2.0.txt", "Unicode-3.0.txt"].into_iter().filter_map(read);
    Ok(Part {
        name: "Rust's standard library".to_owned(),
        version: version.to_owned(),
        licence: "(MIT OR Apache-2.0) AND Unicode-3.0".to_owned(),
        source: "https://github.com/rust-lang/rust".to_owned(),
        texts: texts.map(|text| texts::even(&text)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tree_name_crates() {
        let read = |line| name_and_version(line).map(|(name, version)| format!("{name}@{version}"));
        assert_eq!(read("serde_derive v1.0.229 (proc-macro)").as_deref(), Some("serde_derive@1.0.229"));
        assert_eq!(read("usher-cli v0.1.0 (/somewhere/crates/cli)").as_deref(), Some("usher-cli@0.1.0"));
        assert_eq!(read(""), None);
    }

    #[test]
    fn every_crate_says_what_its_licence_is() {
        let parts = read(&Repository::find().expect("the repository")).expect("the crates");
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert!(["tauri", "rmcp", "tokio"].iter().all(|name| names.contains(name)), "{names:?}");
        assert!(!names.iter().any(|name| name.starts_with("usher")), "{names:?}");
        // Only tests use it.
        assert!(!names.contains(&"insta"), "{names:?}");
        let with_text = parts.iter().filter(|part| !part.texts.is_empty()).count();
        assert!(with_text * 10 > parts.len() * 9, "{with_text} of {}", parts.len());
    }
}
