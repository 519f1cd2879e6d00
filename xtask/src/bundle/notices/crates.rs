//! The crates inside the programs, as cargo resolves them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Component, licence, texts};
use crate::command;
use crate::repository::Repository;

/// The packages whose programs are packaged.
const PACKAGES: [&str; 6] = ["-p", "usher-desktop", "-p", "usher-cli", "-p", "usher-bridge"];

/// Returns the standard library, then the crates sorted by name and version.
pub fn read(repository: &Repository) -> Result<Vec<Component>> {
    let compiler = command::output(repository.command("rustc").arg("-vV"))?;
    let field = |name: &str| {
        let value = compiler.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.with_context(|| format!("rustc prints no {name}"))
    };
    let linked = linked(repository, field("host")?)?;
    let manifests = manifests(repository, field("host")?)?;
    let mut components = vec![standard_library(repository, field("release")?)?];
    for id in linked {
        let package = manifests.get(&id).with_context(|| format!("cargo does not know {} {}", id.0, id.1))?;
        // Our own crates are not third-party.
        if package["source"].is_null() {
            continue;
        }
        components.push(component(package).with_context(|| format!("the notices of {} {}", id.0, id.1))?);
    }
    Ok(components)
}

type NameAndVersion = (String, String);

/// The crates that the programs are built from, including macro crates. Crates of unused features are left out.
fn linked(repository: &Repository, host: &str) -> Result<BTreeSet<NameAndVersion>> {
    let mut cargo = repository.cargo();
    cargo.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--no-dedupe"]);
    let tree = command::output(cargo.args(["--target", host]).args(PACKAGES))?;
    Ok(tree.lines().filter_map(name_and_version).collect())
}

/// Reads `serde v1.0.229 (proc-macro)`.
fn name_and_version(line: &str) -> Option<NameAndVersion> {
    let mut words = line.split(' ');
    let name = words.next()?.to_owned();
    Some((name, words.next()?.strip_prefix('v')?.to_owned()))
}

/// The manifests of all packages on this platform.
fn manifests(repository: &Repository, host: &str) -> Result<BTreeMap<NameAndVersion, Value>> {
    let mut cargo = repository.cargo();
    cargo.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host]);
    let mut metadata: Value =
        serde_json::from_str(&command::output(&mut cargo)?).context("read cargo's metadata")?;
    let packages = metadata["packages"].as_array_mut().context("cargo's metadata has no packages")?;
    let entries = std::mem::take(packages).into_iter().map(|package| {
        let id = (field(&package, "name")?.to_owned(), field(&package, "version")?.to_owned());
        Ok((id, package))
    });
    entries.collect()
}

fn component(package: &Value) -> Result<Component> {
    let (name, version) = (field(package, "name")?, field(package, "version")?);
    let manifest = Path::new(field(package, "manifest_path")?);
    let texts = texts::read(manifest.parent().context("the manifest has no folder")?)?;
    Ok(Component {
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

fn field<'a>(package: &'a Value, field: &str) -> Result<&'a str> {
    package[field].as_str().with_context(|| format!("a package of cargo's metadata has no {field}"))
}

/// The standard library, with the texts that rustup installs. Another toolchain may lack them.
fn standard_library(repository: &Repository, version: &str) -> Result<Component> {
    let folder = command::output(repository.command("rustc").args(["--print", "sysroot"]))?;
    let folder = Path::new(folder.trim()).join("share/doc/rust/licenses");
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let texts = ["MIT.txt", "Apache-2.0.txt", "Unicode-3.0.txt"].into_iter().filter_map(read);
    Ok(Component {
        name: "Rust's standard library".to_owned(),
        version: version.to_owned(),
        licence: "(MIT OR Apache-2.0) AND Unicode-3.0".to_owned(),
        source: "https://github.com/rust-lang/rust".to_owned(),
        texts: texts.map(|text| texts::normalize(&text)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_read_from_the_tree() {
        let read = |line| name_and_version(line).map(|(name, version)| format!("{name}@{version}"));
        assert_eq!(read("serde_derive v1.0.229 (proc-macro)").as_deref(), Some("serde_derive@1.0.229"));
        assert_eq!(read("usher-cli v0.1.0 (/somewhere/crates/cli)").as_deref(), Some("usher-cli@0.1.0"));
        assert_eq!(read(""), None);
    }

    #[test]
    fn every_crate_states_its_licence() {
        let components = read(&Repository::find().expect("the repository")).expect("the crates");
        let names: Vec<&str> = components.iter().map(|component| component.name.as_str()).collect();
        assert!(["tauri", "rmcp", "tokio"].iter().all(|name| names.contains(name)), "{names:?}");
        assert!(!names.iter().any(|name| name.starts_with("usher")), "{names:?}");
        // Only tests use insta.
        assert!(!names.contains(&"insta"), "{names:?}");
        let with_text = components.iter().filter(|component| !component.texts.is_empty()).count();
        assert!(with_text * 10 > components.len() * 9, "{with_text} of {}", components.len());
    }
}
