//! The npm lock files install from nothing, on every platform.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// `npm install` leaves a platform's package out of the lock when the registry did not have it, and `npm ci` refuses
/// such a lock wherever nothing is installed yet. Then add the entry: version, `os`, `cpu`, `optional`.
#[test]
fn every_optional_package_is_listed() {
    for folder in ["tests/conformance", "ui", "xtask/bundle"] {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("package-lock.json");
        let lock: Value = serde_json::from_slice(&fs::read(lock).expect("a lock file")).expect("JSON");
        assert_eq!(missing(&lock["packages"]), Vec::<String>::new(), "in {folder}/package-lock.json");
    }
}

#[test]
fn a_left_out_package_is_found() {
    let packages = serde_json::json!({
        "": {},
        "node_modules/oxide": { "optionalDependencies": { "oxide-linux": "1.0.0", "oxide-darwin": "1.0.0" } },
        "node_modules/oxide/node_modules/oxide-linux": { "version": "1.0.0" }
    });
    assert_eq!(missing(&packages), ["oxide-darwin"]);
}

/// Optional packages that one in the lock names and that have no entry of their own.
fn missing(packages: &Value) -> Vec<String> {
    let packages = packages.as_object().expect("packages");
    let mut missing = Vec::new();
    for (place, package) in packages {
        for name in package["optionalDependencies"].as_object().into_iter().flat_map(|named| named.keys()) {
            let is_listed = packages.contains_key(&format!("node_modules/{name}"))
                || packages.contains_key(&format!("{place}/node_modules/{name}"));
            if !is_listed {
                missing.push(name.clone());
            }
        }
    }
    missing
}
