//! The comparison of a client's paths with the engine's.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use usher_api::SecretStoreView;
use usher_engine::EngineOptions;

/// The paths that a client and the engine must share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    pub config: PathBuf,
    pub state_dir: PathBuf,
    /// `keychain`, `file:PATH` or `memory`; `None` accepts any store.
    pub secret_store: Option<String>,
}

impl Paths {
    /// Returns the first path that differs from the engine's, as a sentence for the person.
    pub(crate) fn difference(&self, options: &EngineOptions, store: &SecretStoreView) -> Option<String> {
        let differs = |ours: &Path, theirs: &Path| resolve(ours) != resolve(theirs);
        if differs(&self.config, &options.config) {
            return Some(format!("Its config file is {}.", options.config.display()));
        }
        if differs(&self.state_dir, &options.state_dir) {
            return Some(format!("Its state folder is {}.", options.state_dir.display()));
        }
        let engine_store = store_argument(store);
        let is_same = match (&self.secret_store, engine_store.strip_prefix("file:")) {
            (None, _) => true,
            (Some(ours), Some(theirs)) => {
                ours.strip_prefix("file:").is_some_and(|path| !differs(Path::new(path), Path::new(theirs)))
            }
            (Some(ours), None) => *ours == engine_store,
        };
        (!is_same).then(|| format!("Its secret store is {engine_store}."))
    }
}

/// Formats a secret store like the argument of `--secret-store`.
pub(crate) fn store_argument(store: &SecretStoreView) -> String {
    match store {
        SecretStoreView::Keychain { .. } => "keychain".to_owned(),
        SecretStoreView::File { path, .. } => format!("file:{path}"),
        SecretStoreView::Memory => "memory".to_owned(),
    }
}

/// Makes a path absolute, and resolves the symbolic links in the part that exists.
fn resolve(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute
        .ancestors()
        .find_map(|part| {
            let rest = absolute.strip_prefix(part).ok()?;
            let found = part.canonicalize().ok()?;
            Some(if rest.as_os_str().is_empty() { found } else { found.join(rest) })
        })
        .unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use usher_secrets::StoreKind;

    use super::*;

    #[test]
    fn paths_are_compared_after_resolving_them() {
        let folder = tempfile::tempdir().expect("create a temp dir");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("state")).expect("create the state folder");
        let options = EngineOptions::new(at("mcp.json"), at("state"), at("run"), StoreKind::Keychain);
        let keychain = SecretStoreView::Keychain { error: None };
        let file = SecretStoreView::File { path: at("secrets").display().to_string(), error: None };
        let paths = |config: &str, store: Option<String>| Paths {
            config: at(config),
            state_dir: at("state/../state"),
            secret_store: store,
        };
        assert_eq!(paths("mcp.json", None).difference(&options, &keychain), None);
        assert_eq!(paths("./mcp.json", Some("keychain".into())).difference(&options, &keychain), None);
        let other = format!("file:{}", at("state/../secrets").display());
        assert_eq!(paths("mcp.json", Some(other)).difference(&options, &file), None);

        let message = |paths: Paths, store| paths.difference(&options, store).expect("a difference");
        assert!(message(paths("other.json", None), &keychain).contains("mcp.json"));
        assert!(message(paths("mcp.json", Some("memory".into())), &keychain).contains("keychain"));
        assert!(message(paths("mcp.json", Some("keychain".into())), &file).contains("file:"));
        let elsewhere = Paths { state_dir: at("elsewhere"), ..paths("mcp.json", None) };
        assert!(message(elsewhere, &keychain).contains("state"));
    }
}
