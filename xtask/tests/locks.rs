//! Checks that the npm lock files are complete for every platform.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// If the registry lacks the package of a platform, `npm install` leaves it out of the lock file. `npm ci` rejects that
/// file on a new machine. To fix it, add the entry by hand: version, `os`, `cpu`, `optional`.
#[test]
fn every_optional_package_is_listed() {
    for folder in ["tests/conformance", "ui", "xtask/bundle"] {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("package-lock.json");
        let lock: Value = serde_json::from_slice(&fs::read(lock).expect("read the lock file")).expect("JSON");
        assert_eq!(missing(&lock["packages"]), Vec::<String>::new(), "in {folder}/package-lock.json");
    }
}

#[test]
fn a_package_without_an_entry_is_found() {
    let packages = serde_json::json!({
        "": {},
        "node_modules/oxide": { "optionalDependencies": { "oxide-linux": "1.0.0", "oxide-darwin": "1.0.0" } },
        "node_modules/oxide/node_modules/oxide-linux": { "version": "1.0.0" }
    });
    assert_eq!(missing(&packages), ["oxide-darwin"]);
}

/// Optional dependencies without an entry of their own.
fn missing(packages: &Value) -> Vec<String> {
    let packages = packages.as_object().expect("packages");
    let mut missing = Vec::new();
    for (path, package) in packages {
        for name in package["optionalDependencies"].as_object().into_iter().flat_map(|named| named.keys()) {
            let is_listed = packages.contains_key(&format!("node_modules/{name}"))
                || packages.contains_key(&format!("{path}/node_modules/{name}"));
            if !is_listed {
                missing.push(name.clone());
            }
        }
    }
    missing
}
