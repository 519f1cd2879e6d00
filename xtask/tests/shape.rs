//! Who may call whom (ARCHITECTURE.md): read from the manifests and the sources, so that a wrong arrow fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each room, and which of ours its product may use. What only its tests use is not bound.
const ROOMS: &[(&str, &[&str])] = &[
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
fn rooms_call_only_whom_they_may() {
    let packages = packages();
    for (room, allowed) in ROOMS {
        let ours: BTreeSet<&str> = packages[*room].used.iter().map(String::as_str).filter(is_ours).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let wrong: Vec<_> = ours.difference(&allowed).collect();
        assert!(wrong.is_empty(), "{room} must not use {wrong:?}");
    }
}

#[test]
fn every_room_has_its_rule() {
    let ruled: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    let packages = packages();
    let unruled: Vec<_> = packages
        .keys()
        .filter(|name| !ruled.contains(name.as_str()) && !TEST_ROOMS.contains(&name.as_str()))
        .collect();
    assert!(unruled.is_empty(), "say in this file whom these may use: {unruled:?}");
}

/// Rooms that are no part of the product and may use all of it.
const TEST_ROOMS: &[&str] = &["usher-tests", "usher-empty-window"];

#[test]
fn only_the_shell_knows_tauri() {
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
fn only_the_secrets_room_knows_the_keychain() {
    for (name, package) in packages() {
        let keychain: Vec<_> = package.used.iter().filter(|used| used.contains("keyring")).collect();
        assert!(keychain.is_empty() || name == "usher-secrets", "{name} uses {keychain:?}");
    }
}

#[test]
fn oauth_knows_no_mcp_and_mcp_auth_is_not_rmcps() {
    let packages = packages();
    assert!(!packages["usher-oauth"].used.contains("rmcp"), "usher-oauth uses rmcp");
    let engine = fs::read_to_string(root().join("crates/engine/Cargo.toml")).expect("the engine's manifest");
    let rmcp = engine.lines().find(|line| line.starts_with("rmcp ")).expect("the engine uses rmcp");
    assert!(!rmcp.contains("\"auth"), "rmcp's own sign-in is switched on: {rmcp}");
}

#[test]
fn only_the_backend_folder_imports_the_shell() {
    let backend = root().join("ui/src/backend");
    let mut open = vec![root().join("ui/src")];
    let mut read = 0;
    while let Some(folder) = open.pop() {
        for entry in
            fs::read_dir(&folder).expect("a folder of the UI").map(|entry| entry.expect("an entry").path())
        {
            if entry.is_dir() {
                open.push(entry);
            } else if !entry.starts_with(&backend) && is_source(&entry) {
                read += 1;
                let text = fs::read_to_string(&entry).expect("a source of the UI");
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
    /// What the product is built with.
    used: BTreeSet<String>,
    /// The same, and what its tests and build script are built with.
    all: BTreeSet<String>,
}

fn is_ours(name: &&str) -> bool {
    name.starts_with("usher-")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (text(&package["name"]), read_package(package))).collect()
}

fn read_package(package: &Value) -> Package {
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    let of = |is_wanted: fn(&Value) -> bool| {
        dependencies.iter().filter(|used| is_wanted(&used["kind"])).map(|used| text(&used["name"])).collect()
    };
    // Cargo writes null for what is neither for tests nor for the build script.
    Package { used: of(Value::is_null), all: of(|_| true) }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
