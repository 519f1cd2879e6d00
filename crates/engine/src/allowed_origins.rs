//! The web origins to which the value of each placeholder in `mcp.json` may be sent.
//!
//! The file contains names and origins, but no values. It is in the state folder, which only this user can access. A
//! program that can change files there can already use the secret store as this user. A program that can change only
//! `mcp.json`, such as a synced folder or an agent with access to config files, cannot change this file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use usher_config::{Origin, Placeholder, PlaceholderUse};
use usher_secrets::private_files;

const FILE: &str = "allowed-origins.json";
/// The number of bytes that are read. A hundred secrets with three origins each need 20 kB.
const LARGEST: u64 = 1024 * 1024;
const VERSION: u32 = 1;

/// The allowed origins. Clones share one file.
#[derive(Clone, Debug)]
pub(crate) struct AllowedOrigins(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    contents: Mutex<Contents>,
    /// Held while the contents change and are written, so that the newest contents are written last.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    /// Whether the first use of a secret needs the person's permission too, because an earlier file was lost.
    #[serde(default)]
    asks_at_first_use: bool,
    /// The origins of each placeholder, as it is written in `mcp.json`.
    origins: BTreeMap<String, Vec<String>>,
}

impl AllowedOrigins {
    /// Reads the file. Returns `None` in the second place if the file exists, and otherwise a token to fill it with.
    ///
    /// After a file that cannot be parsed, each use needs the person's permission: it may have contained any name.
    pub fn open(state_dir: &Path) -> io::Result<(Self, Option<FirstRun>)> {
        private_files::create_private_dir(state_dir)?;
        let path = state_dir.join(FILE);
        let (contents, first_run) = match private_files::read(&path, LARGEST) {
            Ok(bytes) => match serde_json::from_slice::<Contents>(&bytes) {
                Ok(contents) if contents.version == VERSION => (contents, None),
                Ok(_) | Err(_) => {
                    tracing::warn!(path = %path.display(), "the file cannot be parsed; it was moved aside");
                    let contents =
                        Contents { version: VERSION, asks_at_first_use: true, ..Contents::default() };
                    // The new file is written first, so that a crash in between does not look like a first run.
                    std::fs::copy(&path, path.with_extension("json.broken"))?;
                    write(&path, &contents)?;
                    (contents, None)
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (Contents { version: VERSION, ..Contents::default() }, Some(FirstRun(())))
            }
            Err(error) => return Err(error),
        };
        let contents = Mutex::new(contents);
        Ok((Self(Arc::new(Inner { path, contents, writing: tokio::sync::Mutex::default() })), first_run))
    }

    /// Allows the uses in the config file of the first run. Earlier versions of Usher sent all of them unasked.
    pub async fn adopt(&self, _first_run: FirstRun, uses: &[PlaceholderUse]) -> io::Result<()> {
        self.change(|contents| uses.iter().for_each(|one| contents.add(one))).await
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
        self.change(|contents| {
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
        self.change(|contents| contents.add(allowed)).await
    }

    /// Allows these uses of a value that was just stored, and no others.
    pub async fn replace(&self, placeholder: &Placeholder, origins: &[Origin]) -> io::Result<()> {
        self.change(|contents| {
            contents.origins.remove(&placeholder.to_string());
            for origin in origins {
                contents.add(&PlaceholderUse { placeholder: placeholder.clone(), origin: origin.clone() });
            }
        })
        .await
    }

    /// Forgets all origins of a placeholder. Returns whether there were any.
    pub async fn forget(&self, placeholder: &Placeholder) -> io::Result<bool> {
        let mut existed = false;
        self.change(|contents| existed = contents.origins.remove(&placeholder.to_string()).is_some()).await?;
        Ok(existed)
    }

    /// Returns the origins to which the value may be sent.
    pub fn of(&self, placeholder: &Placeholder) -> Vec<String> {
        self.0.lock().origins.get(&placeholder.to_string()).cloned().unwrap_or_default()
    }

    /// Changes the contents, and returns once they are on disk. If they cannot be written, nothing changes.
    async fn change(&self, change: impl FnOnce(&mut Contents)) -> io::Result<()> {
        let _writing = self.0.writing.lock().await;
        let mut contents = self.0.lock().clone();
        change(&mut contents);
        let is_written = self.0.path.exists();
        if is_written && contents == *self.0.lock() {
            return Ok(());
        }
        let (path, written) = (self.0.path.clone(), contents.clone());
        tokio::task::spawn_blocking(move || write(&path, &written)).await.map_err(io::Error::other)??;
        *self.0.lock() = contents;
        Ok(())
    }
}

/// The first run with this state folder, in which the uses in `mcp.json` are allowed unasked.
#[derive(Debug)]
pub(crate) struct FirstRun(());

/// Reads the origins to which the value of each placeholder may be sent. The keys are placeholders, such as
/// `{{notion_key}}`.
pub fn allowed_origins(state_dir: &Path) -> io::Result<BTreeMap<String, Vec<String>>> {
    match private_files::read(&state_dir.join(FILE), LARGEST) {
        Ok(bytes) => {
            let contents: Contents = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
            Ok(contents.origins)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, contents: &Contents) -> io::Result<()> {
    private_files::replace(path, &serde_json::to_vec_pretty(contents)?)
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    async fn after_a_damaged_file_each_first_use_needs_permission() {
        let folder = tempfile::tempdir().expect("create a folder");
        let (allowed, first_run) = AllowedOrigins::open(folder.path()).expect("open");
        allowed.adopt(first_run.expect("the first run"), &uses([HOME, VARIABLE])).await.expect("write");
        assert_eq!(allowed.refused(&uses([HOME, VARIABLE])), []);
        std::fs::write(folder.path().join(FILE), "{").expect("damage the file");
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
