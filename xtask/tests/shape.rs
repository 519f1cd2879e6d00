//! The dependency rules of ARCHITECTURE.md and the rule for doc comments of CONTRIBUTING.md, checked against the
//! manifests and the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use walkdir::WalkDir;

use self::module_graph::ModuleGraph;

#[path = "shape/contents.rs"]
mod contents;
#[path = "shape/doc_comments.rs"]
mod doc_comments;
#[path = "shape/module_graph.rs"]
mod module_graph;

/// Each crate, with the crates of the workspace that it may depend on. Dev-dependencies are not restricted.
const CRATES: &[(&str, &[&str])] = &[
    ("usher-api", &[]),
    ("usher-budgets", &[]),
    ("usher-cli", &["usher-api", "usher-config", "usher-demo", "usher-engine", "usher-ipc", "usher-secrets"]),
    ("usher-config", &[]),
    ("usher-demo", &[]),
    (
        "usher-desktop",
        &["usher-api", "usher-config", "usher-demo", "usher-engine", "usher-ipc", "usher-secrets"],
    ),
    ("usher-engine", &["usher-api", "usher-budgets", "usher-config", "usher-oauth", "usher-secrets"]),
    ("usher-fake-service", &[]),
    ("usher-bridge", &["usher-api", "usher-config"]),
    ("usher-gateway", &["usher-api", "usher-engine", "usher-secrets"]),
    ("usher-ipc", &["usher-api", "usher-engine", "usher-gateway", "usher-secrets"]),
    ("usher-oauth", &["usher-budgets"]),
    ("usher-secrets", &[]),
    ("usher-xtask", &[]),
];

#[test]
fn a_crate_uses_only_the_crates_of_its_rule() {
    let packages = packages();
    for (name, allowed) in CRATES {
        let ours = used(&packages[*name]).into_iter().filter(|used| used.starts_with("usher-"));
        let wrong: Vec<_> = ours.filter(|used| !allowed.contains(used)).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
}

#[test]
fn every_crate_has_a_rule() {
    let has_rule = |name: &str| TEST_CRATES.contains(&name) || CRATES.iter().any(|(ruled, _)| *ruled == name);
    let unruled: Vec<String> = packages().into_keys().filter(|name| !has_rule(name)).collect();
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
    // A module outside the parent is not a child.
    let outer = ("lib.rs", "mod door; mod house;");
    let house = ("house.rs", "use crate::door::key::Key; pub struct House;");
    let parent = ("door.rs", "pub mod key; use crate::house::House; pub struct Door;");
    assert_ne!(cycles_of(&[outer, parent, key, house]), "");
}

/// Returns the cycles of a crate that exists only in memory.
fn cycles_of(sources: &[(&str, &str)]) -> String {
    let read = |file: &Path| {
        sources.iter().find(|(name, _)| Path::new(name) == file).map(|(_, text)| (*text).to_owned())
    };
    let cycles = ModuleGraph::read(Path::new("lib.rs"), &read).cycles();
    cycles.iter().flatten().map(|import| format!("{import}\n")).collect()
}

#[test]
fn only_the_app_uses_tauri() {
    for (name, package) in packages() {
        if name == "usher-desktop" || name == "usher-empty-window" {
            continue;
        }
        let all = list(&package["dependencies"]).map(|used| text(&used["name"]));
        let tauri: Vec<_> = all.filter(|used| used.starts_with("tauri") || *used == "wry").collect();
        assert!(tauri.is_empty(), "{name} uses {tauri:?}");
    }
}

#[test]
fn only_the_secrets_crate_uses_the_keychain() {
    for (name, package) in packages() {
        let keychain: Vec<_> = used(&package).into_iter().filter(|used| used.contains("keyring")).collect();
        assert!(keychain.is_empty() || name == "usher-secrets", "{name} uses {keychain:?}");
    }
}

#[test]
fn oauth_uses_no_mcp_and_the_sign_in_of_rmcp_is_off() {
    let packages = packages();
    assert!(!used(&packages["usher-oauth"]).contains("rmcp"), "usher-oauth uses rmcp");
    let mut dependencies = list(&packages["usher-engine"]["dependencies"]);
    let rmcp = dependencies.find(|used| used["name"] == "rmcp").expect("the engine uses rmcp");
    let auth = list(&rmcp["features"]).find(|feature| text(feature).starts_with("auth"));
    assert_eq!(auth, None, "the sign-in of rmcp is switched on");
}

#[test]
fn only_the_backend_folder_imports_tauri() {
    let backend = root().join("ui/src/backend");
    let files =
        WalkDir::new(root().join("ui/src")).into_iter().map(|entry| entry.expect("an entry").into_path());
    let sources: Vec<PathBuf> =
        files.filter(|file| !file.starts_with(&backend) && file.is_file() && is_source(file)).collect();
    assert!(!sources.is_empty(), "no source of the UI was found");
    for source in sources {
        let text = fs::read_to_string(&source).expect("read a source of the UI");
        assert!(!text.contains("@tauri-apps"), "{} names @tauri-apps", source.display());
    }
}

#[test]
fn a_doc_comment_begins_with_a_noun_or_a_verb() {
    let folders =
        ["crates", "src-tauri", "tests", "ui/src", "ui/tests", "xtask"].map(|folder| root().join(folder));
    let entries = folders.iter().flat_map(|folder| {
        WalkDir::new(folder).into_iter().filter_entry(|entry| {
            !["target", "node_modules", "paraglide"].iter().any(|name| entry.file_name() == *name)
        })
    });
    let mut sources = 0;
    let mut wrong = String::new();
    for entry in entries.map(|entry| entry.expect("an entry")) {
        if !entry.file_type().is_file() || !(is_source(entry.path()) || is_rust(entry.path())) {
            continue;
        }
        sources += 1;
        let text = fs::read_to_string(entry.path()).expect("read a source");
        for comment in doc_comments::refused(&text) {
            wrong.push_str(&format!("{}: {comment}\n", entry.path().display()));
        }
    }
    assert!(sources > 500, "only {sources} sources were found");
    assert!(wrong.is_empty(), "begin with a noun phrase or a verb:\n{wrong}");
}

#[test]
fn a_doc_comment_that_begins_with_what_is_found() {
    for comment in ["/// What it is.", "//! Who asks.", "/** That it ends. */", "<!-- Where it is. -->"] {
        assert_eq!(doc_comments::refused(&format!("    {comment}\n")), [comment]);
    }
    assert_eq!(doc_comments::refused("  /**\n   * What it is.\n   */\n"), ["* What it is."]);
    let allowed = [
        "// What it is.",
        "/// The item.\n/// What it is.",
        "/// Whatever_name",
        "/// Whether it is.",
        "/**\n * The item.\n * What it is. */",
    ];
    for text in allowed {
        assert_eq!(doc_comments::refused(text), Vec::<&str>::new(), "{text}");
    }
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ts" || extension == "svelte" || extension == "js")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

/// Every crate of every package, with the file of its root module, relative to the repository.
fn crate_roots() -> Vec<(String, PathBuf)> {
    let packages = packages();
    let targets = packages
        .iter()
        .flat_map(|(name, package)| list(&package["targets"]).map(move |target| (name, target)));
    let roots = targets.map(|(package, target)| {
        let file = Path::new(text(&target["src_path"]));
        let file = file.strip_prefix(root()).expect("a file of the repository").to_owned();
        (format!("{package} ({} {})", text(&target["kind"][0]), text(&target["name"])), file)
    });
    roots.collect()
}

/// The packages of the workspace by name, as `cargo metadata` describes them.
fn packages() -> BTreeMap<String, Value> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    list(&metadata["packages"]).map(|package| (text(&package["name"]).to_owned(), package.clone())).collect()
}

/// The normal dependencies of a package. Their kind is null.
fn used(package: &Value) -> BTreeSet<&str> {
    list(&package["dependencies"])
        .filter(|used| used["kind"].is_null())
        .map(|used| text(&used["name"]))
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
