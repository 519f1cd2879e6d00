//! The web origins to which the value of each placeholder in `mcp.json` may be sent.
//!
//! The file contains names and origins, but no values. It is in the state folder, which only this user can access. A
//! program that can change files there can already use the secret store as this user. A program that can change only
//! `mcp.json`, such as a synced folder or an agent with access to config files, cannot change this file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use usher_config::{Origin, Placeholder, PlaceholderUse};

use crate::state_file::{self, StateFile};

const VERSION: u32 = 1;

/// The allowed origins. Clones share one file.
#[derive(Clone, Debug)]
pub(crate) struct AllowedOrigins(Arc<StateFile<Contents>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    /// Whether the first use of a secret needs the person's permission too, because an earlier file was lost.
    #[serde(default)]
    asks_at_first_use: bool,
    /// The origins of each placeholder, as it is written in `mcp.json`.
    origins: BTreeMap<String, Vec<String>>,
}

impl state_file::Contents for Contents {
    const FILE: &'static str = "allowed-origins.json";
    /// A hundred secrets with three origins each need 20 kB.
    const LARGEST: u64 = 1024 * 1024;

    fn is_current(&self) -> bool {
        self.version == VERSION
    }

    fn first() -> Self {
        Self { version: VERSION, asks_at_first_use: false, origins: BTreeMap::new() }
    }

    /// The damaged file may have contained any name, so each use needs the person's permission.
    fn after_damage() -> Self {
        Self { asks_at_first_use: true, ..Self::first() }
    }
}

impl AllowedOrigins {
    /// Reads the file. Returns `None` in the second place if the file exists, and otherwise a token to fill it with.
    pub fn open(state_dir: &Path) -> io::Result<(Self, Option<FirstRun>)> {
        let (file, existed) = StateFile::open(state_dir)?;
        Ok((Self(Arc::new(file)), (!existed).then_some(FirstRun(()))))
    }

    /// Allows the uses in the config file of the first run. Earlier versions of Usher sent all of them unasked.
    pub async fn adopt(&self, _first_run: FirstRun, uses: &[PlaceholderUse]) -> io::Result<()> {
        self.0.change(|contents| uses.iter().for_each(|one| contents.add(one))).await
    }

    /// Returns the uses that need the person's permission.
    pub fn refused(&self, uses: &[PlaceholderUse]) -> Vec<PlaceholderUse> {
        let contents = self.0.lock();
        uses.iter().filter(|one| !contents.permits(one)).cloned().collect()
    }

    /// Checks the uses again, and allows each first use of a secret. Returns the uses that are not allowed; nothing
    /// changes then.
    pub async fn record(&self, uses: &[PlaceholderUse]) -> io::Result<Vec<PlaceholderUse>> {
        let mut refused = Vec::new();
        if uses.is_empty() {
            return Ok(refused);
        }
        self.0
            .change(|contents| {
                refused = uses.iter().filter(|one| !contents.permits(one)).cloned().collect();
                if refused.is_empty() {
                    uses.iter().for_each(|one| contents.add(one));
                }
            })
            .await?;
        Ok(refused)
    }

    /// Allows a use because the person decided so.
    pub async fn allow(&self, allowed: &PlaceholderUse) -> io::Result<()> {
        self.0.change(|contents| contents.add(allowed)).await
    }

    /// Withdraws the permission for a use. The value of a secret without an origin needs the person's permission too: its
    /// next use is not a first one. Returns whether the use was allowed.
    pub async fn disallow(&self, withdrawn: &PlaceholderUse) -> io::Result<bool> {
        let mut existed = false;
        let name = withdrawn.placeholder.to_string();
        self.0
            .change(|contents| {
                let Some(origins) = contents.origins.get_mut(&name) else { return };
                let before = origins.len();
                origins.retain(|origin| origin != withdrawn.origin.as_str());
                existed = origins.len() < before;
                if origins.is_empty() && matches!(withdrawn.placeholder, Placeholder::Variable(_)) {
                    contents.origins.remove(&name);
                }
            })
            .await?;
        Ok(existed)
    }

    /// Allows these uses of a value that was just stored, and no others.
    pub async fn replace(&self, placeholder: &Placeholder, origins: &[Origin]) -> io::Result<()> {
        self.0
            .change(|contents| {
                contents.origins.remove(&placeholder.to_string());
                for origin in origins {
                    contents
                        .add(&PlaceholderUse { placeholder: placeholder.clone(), origin: origin.clone() });
                }
            })
            .await
    }

    /// Forgets all origins of a placeholder. Returns whether there were any.
    pub async fn forget(&self, placeholder: &Placeholder) -> io::Result<bool> {
        let mut existed = false;
        self.0
            .change(|contents| existed = contents.origins.remove(&placeholder.to_string()).is_some())
            .await?;
        Ok(existed)
    }

    /// Returns the environment variables that may be sent to an origin.
    pub fn variables(&self) -> Vec<Placeholder> {
        let contents = self.0.lock();
        let placeholders = contents.origins.keys().filter_map(|text| text.parse::<Placeholder>().ok());
        placeholders.filter(|placeholder| matches!(placeholder, Placeholder::Variable(_))).collect()
    }

    /// Returns the origins to which the value may be sent.
    pub fn of(&self, placeholder: &Placeholder) -> Vec<String> {
        self.0.lock().origins.get(&placeholder.to_string()).cloned().unwrap_or_default()
    }
}

/// The first run with this state folder, in which the uses in `mcp.json` are allowed unasked.
#[derive(Debug)]
pub(crate) struct FirstRun(());

/// Reads the origins to which the value of each placeholder may be sent. The keys are placeholders, such as
/// `{{notion_key}}`.
pub fn allowed_origins(state_dir: &Path) -> io::Result<BTreeMap<String, Vec<String>>> {
    let contents = StateFile::<Contents>::read(state_dir)?;
    Ok(contents.map(|contents| contents.origins).unwrap_or_default())
}

impl Contents {
    fn permits(&self, one: &PlaceholderUse) -> bool {
        match self.origins.get(&one.placeholder.to_string()) {
            Some(origins) => origins.iter().any(|origin| origin == one.origin.as_str()),
            None => match one.placeholder {
                // The first use of a secret binds it.
                Placeholder::Secret(_) => !self.asks_at_first_use,
                // The environment contains secrets that no service was meant to get.
                Placeholder::Variable(_) => false,
            },
        }
    }

    fn add(&mut self, one: &PlaceholderUse) {
        let origins = self.origins.entry(one.placeholder.to_string()).or_default();
        if !origins.iter().any(|origin| origin == one.origin.as_str()) {
            origins.push(one.origin.as_str().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: (&str, &str) = ("{{key}}", "https://a.example");
    const ELSEWHERE: (&str, &str) = ("{{key}}", "https://b.example");
    const VARIABLE: (&str, &str) = ("${KEY}", "https://a.example");

    fn uses<const N: usize>(uses: [(&str, &str); N]) -> [PlaceholderUse; N] {
        uses.map(|(placeholder, origin)| PlaceholderUse {
            placeholder: placeholder.parse().expect("a placeholder"),
            origin: origin.parse().expect("an origin"),
        })
    }

    #[tokio::test]
    async fn the_first_use_of_a_secret_is_allowed_and_the_first_of_a_variable_is_not() {
        let folder = tempfile::tempdir().expect("create a folder");
        let (allowed, _) = AllowedOrigins::open(folder.path()).expect("open");
        let [home, elsewhere, _] = uses([HOME, ELSEWHERE, VARIABLE]);
        assert_eq!(allowed.refused(&uses([VARIABLE])), uses([VARIABLE]));
        assert_eq!(allowed.record(&uses([HOME, VARIABLE])).await.expect("write"), uses([VARIABLE]));
        assert!(allowed.of(&home.placeholder).is_empty(), "a refused entry binds nothing");
        assert_eq!(allowed.record(&uses([HOME])).await.expect("write"), []);
        assert_eq!(allowed.record(&uses([ELSEWHERE])).await.expect("write"), uses([ELSEWHERE]));

        let (reopened, first_run) = AllowedOrigins::open(folder.path()).expect("open again");
        assert!(first_run.is_none());
        assert_eq!(reopened.refused(&uses([HOME, ELSEWHERE])), uses([ELSEWHERE]));
        reopened.allow(&elsewhere).await.expect("write");
        assert_eq!(reopened.of(&home.placeholder), ["https://a.example", "https://b.example"]);
        reopened.replace(&home.placeholder, std::slice::from_ref(&elsewhere.origin)).await.expect("write");
        assert_eq!(reopened.of(&home.placeholder), ["https://b.example"]);
        assert!(reopened.forget(&home.placeholder).await.expect("write"));
        assert!(!reopened.forget(&home.placeholder).await.expect("write"));
    }

    #[tokio::test]
    async fn a_withdrawn_origin_needs_permission_again() {
        let folder = tempfile::tempdir().expect("create a folder");
        let (allowed, first_run) = AllowedOrigins::open(folder.path()).expect("open");
        let all = uses([HOME, ELSEWHERE, VARIABLE]);
        let [home, elsewhere, variable] = &all;
        allowed.adopt(first_run.expect("the first run"), &all).await.expect("write");
        assert!(allowed.disallow(elsewhere).await.expect("write"));
        assert!(!allowed.disallow(elsewhere).await.expect("write"));
        assert_eq!(allowed.refused(&all), uses([ELSEWHERE]));
        assert!(allowed.disallow(home).await.expect("write"));
        assert_eq!(allowed.record(&uses([HOME])).await.expect("write"), uses([HOME]), "not a first use");
        assert_eq!(allowed.variables(), std::slice::from_ref(&variable.placeholder));
        assert!(allowed.disallow(variable).await.expect("write"));
        assert_eq!(allowed.variables(), []);
        let (reopened, _) = AllowedOrigins::open(folder.path()).expect("open again");
        assert_eq!(reopened.refused(&all), all);
    }

    #[tokio::test]
    async fn after_a_damaged_file_each_first_use_needs_permission() {
        let folder = tempfile::tempdir().expect("create a folder");
        let (allowed, first_run) = AllowedOrigins::open(folder.path()).expect("open");
        allowed.adopt(first_run.expect("the first run"), &uses([HOME, VARIABLE])).await.expect("write");
        assert_eq!(allowed.refused(&uses([HOME, VARIABLE])), []);
        std::fs::write(folder.path().join("allowed-origins.json"), "{").expect("damage the file");
        for _ in 0..2 {
            let (damaged, first_run) = AllowedOrigins::open(folder.path()).expect("open");
            assert!(first_run.is_none());
            assert_eq!(damaged.refused(&uses([HOME])), uses([HOME]));
        }
        assert!(allowed_origins(folder.path()).expect("read").is_empty());
    }

    #[tokio::test]
    async fn a_first_use_that_cannot_be_written_is_not_allowed() {
        let folder = tempfile::tempdir().expect("create a folder");
        let (allowed, _) = AllowedOrigins::open(&folder.path().join("state")).expect("open");
        std::fs::remove_dir_all(folder.path().join("state")).expect("remove the folder");
        allowed.record(&uses([HOME])).await.expect_err("the folder is missing");
        assert!(allowed.of(&uses([HOME])[0].placeholder).is_empty());
    }
}
