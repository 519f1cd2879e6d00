//! The dependency rules of ARCHITECTURE.md, checked against the manifests and the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use self::module_graph::ModuleGraph;

#[path = "shape/module_graph.rs"]
mod module_graph;

/// Each crate, and which of our crates it may depend on. Dev-dependencies are not restricted.
const CRATES: &[(&str, &[&str])] = &[
    ("usher-api", &[]),
    ("usher-cli", &["usher-api", "usher-config", "usher-demo", "usher-engine", "usher-ipc", "usher-secrets"]),
    ("usher-config", &[]),
    ("usher-demo", &[]),
    (
        "usher-desktop",
        &["usher-api", "usher-config", "usher-demo", "usher-engine", "usher-ipc", "usher-secrets"],
    ),
    ("usher-engine", &["usher-api", "usher-config", "usher-oauth", "usher-secrets"]),
    ("usher-fake-service", &[]),
    ("usher-ipc", &["usher-api", "usher-engine", "usher-secrets"]),
    ("usher-oauth", &[]),
    ("usher-secrets", &[]),
    ("usher-xtask", &[]),
];

#[test]
fn crates_use_only_the_crates_they_may() {
    let packages = packages();
    for (name, allowed) in CRATES {
        let ours: BTreeSet<&str> = packages[*name].used.iter().map(String::as_str).filter(is_ours).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let wrong: Vec<_> = ours.difference(&allowed).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
}

#[test]
fn every_crate_has_a_rule() {
    let ruled: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    let packages = packages();
    let unruled: Vec<_> = packages
        .keys()
        .filter(|name| !ruled.contains(name.as_str()) && !TEST_CRATES.contains(&name.as_str()))
        .collect();
    assert!(unruled.is_empty(), "add a rule to this file for {unruled:?}");
}

/// Crates that are not part of the product and may use all of it.
const TEST_CRATES: &[&str] = &["usher-tests", "usher-empty-window"];

/// `module_graph.rs` states the rule.
#[test]
fn no_crate_has_an_import_cycle() {
    let mut modules = 0;
    let mut cycles = String::new();
    for (krate, root_file) in crate_roots() {
        let graph = ModuleGraph::read(&root_file, &|file| fs::read_to_string(root().join(file)).ok());
        modules += graph.len();
        for cycle in graph.cycles() {
            let lines = cycle.iter().map(|import| format!("  {import}\n"));
            cycles.push_str(&format!("{krate}:\n{}", lines.collect::<String>()));
        }
    }
    assert!(modules > 100, "only {modules} modules were found");
    assert!(cycles.is_empty(), "import cycles:\n{cycles}");
}

#[test]
fn an_import_cycle_is_found() {
    let cycle = cycles_of(&[
        ("lib.rs", "mod bell; mod door; mod lock; pub use door::Door;"),
        ("bell.rs", "pub struct Bell;"),
        ("door.rs", "use crate::bell::Bell; pub struct Door(crate::lock::Lock, Bell);"),
        // Through the re-export, and inside a macro.
        ("lock.rs", "pub struct Lock;\nfn open() { println!(\"{}\", crate::Door::NAME) }"),
    ]);
    assert_eq!(
        cycle,
        "door.rs:1 imports crate::lock::Lock from lock.rs\nlock.rs:2 imports crate::Door::NAME from door.rs\n"
    );
}

#[test]
fn a_child_may_complete_its_parents_type() {
    let parent = ("door.rs", "mod lock; mod key; pub struct Door; fn f() { lock::open() }");
    let key = ("door/key.rs", "use super::Door; pub struct Key;");
    let lock = ("door/lock.rs", "use super::{Door, key::Key}; pub fn open() {}");
    assert_eq!(cycles_of(&[("lib.rs", "mod door;"), parent, key, lock]), "");
    // Tests may use everything.
    let tested = ("door/key.rs", "pub struct Key; #[cfg(test)] mod tests { use crate::door::lock::open; }");
    assert_eq!(cycles_of(&[("lib.rs", "mod door;"), parent, tested, lock]), "");
    let sibling = ("door/key.rs", "pub struct Key; fn f() { super::lock::open() }");
    assert_ne!(cycles_of(&[("lib.rs", "mod door;"), parent, sibling, lock]), "");
    // A module outside the parent is no child.
    let outer = ("lib.rs", "mod door; mod house;");
    let house = ("house.rs", "use crate::door::key::Key; pub struct House;");
    let parent = ("door.rs", "pub mod key; use crate::house::House; pub struct Door;");
    assert_ne!(cycles_of(&[outer, parent, key, house]), "");
}

/// The cycles of a crate in memory.
fn cycles_of(sources: &[(&str, &str)]) -> String {
    let read = |file: &Path| {
        sources.iter().find(|(name, _)| Path::new(name) == file).map(|(_, text)| (*text).to_owned())
    };
    let cycles = ModuleGraph::read(Path::new("lib.rs"), &read).cycles();
    cycles.iter().flatten().map(|import| format!("{import}\n")).collect()
}

#[test]
fn only_the_shell_uses_tauri() {
    for (name, package) in packages() {
        if name == "usher-desktop" || name == "usher-empty-window" {
            continue;
        }
        let tauri: Vec<_> =
            package.all.iter().filter(|used| used.starts_with("tauri") || *used == "wry").collect();
        assert!(tauri.is_empty(), "{name} uses {tauri:?}");
    }
}

#[test]
fn only_the_secrets_crate_uses_the_keychain() {
    for (name, package) in packages() {
        let keychain: Vec<_> = package.used.iter().filter(|used| used.contains("keyring")).collect();
        assert!(keychain.is_empty() || name == "usher-secrets", "{name} uses {keychain:?}");
    }
}

#[test]
fn oauth_uses_no_mcp_and_the_sign_in_of_rmcp_is_off() {
    let packages = packages();
    assert!(!packages["usher-oauth"].used.contains("rmcp"), "usher-oauth uses rmcp");
    let engine = fs::read_to_string(root().join("crates/engine/Cargo.toml")).expect("the engine's manifest");
    let rmcp = engine.lines().find(|line| line.starts_with("rmcp ")).expect("the engine uses rmcp");
    assert!(!rmcp.contains("\"auth"), "the sign-in of rmcp is switched on: {rmcp}");
}

#[test]
fn only_the_backend_folder_imports_the_shell() {
    let backend = root().join("ui/src/backend");
    let mut open = vec![root().join("ui/src")];
    let mut read = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)
            .expect("read a folder of the UI")
            .map(|entry| entry.expect("an entry").path())
        {
            if entry.is_dir() {
                open.push(entry);
            } else if !entry.starts_with(&backend) && is_source(&entry) {
                read += 1;
                let text = fs::read_to_string(&entry).expect("read a source of the UI");
                assert!(!text.contains("@tauri-apps"), "{} names @tauri-apps", entry.display());
            }
        }
    }
    assert!(read > 0, "no source of the UI was found");
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ts" || extension == "svelte" || extension == "js")
}

struct Package {
    /// Normal dependencies.
    used: BTreeSet<String>,
    /// All dependencies, also those of tests and build scripts.
    all: BTreeSet<String>,
}

fn is_ours(name: &&str) -> bool {
    name.starts_with("usher-")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

/// Every crate of every package, with the file of its root module below the repository.
fn crate_roots() -> Vec<(String, PathBuf)> {
    let metadata = metadata();
    let targets = metadata["packages"].as_array().expect("packages").iter().flat_map(|package| {
        let targets = package["targets"].as_array().expect("targets");
        targets.iter().map(|target| (text(&package["name"]), target))
    });
    let roots = targets.map(|(package, target)| {
        let file = PathBuf::from(text(&target["src_path"]));
        let file = file.strip_prefix(root()).expect("a file of the repository").to_owned();
        (format!("{package} ({} {})", text(&target["kind"][0]), text(&target["name"])), file)
    });
    roots.collect()
}

fn packages() -> BTreeMap<String, Package> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (text(&package["name"]), read_package(package))).collect()
}

fn metadata() -> Value {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn read_package(package: &Value) -> Package {
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    let of_kind = |is_wanted: fn(&Value) -> bool| {
        dependencies.iter().filter(|used| is_wanted(&used["kind"])).map(|used| text(&used["name"])).collect()
    };
    // The kind of a normal dependency is null.
    Package { used: of_kind(Value::is_null), all: of_kind(|_| true) }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
