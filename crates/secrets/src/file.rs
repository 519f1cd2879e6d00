//! The private file store. Every program of the same user can read it.
//!
//! A change locks the store and reads the whole file. It then writes a new file in the same folder and renames the new
//! file over the old one.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::codec::{decode_text, encode_text};
use crate::item::Item;
use crate::private_files::{self, create_private_dir, folder_of, open_private};
use crate::secret::{Condition, Secret};

const VERSION: u32 = 1;
/// The maximum size of a valid file, far more than a hundred grants need.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// The maximum size of one secret: a grant with the longest tokens and scopes, and the form of JSON around them.
const MAX_SECRET_BYTES: usize = 256 * 1024;
/// The maximum wait for another process's lock.
const LOCK_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct FileBackend {
    path: PathBuf,
}

type Secrets = BTreeMap<String, SecretString>;

#[derive(Deserialize)]
struct FileIn {
    version: u32,
    secrets: Secrets,
}

#[derive(Serialize)]
struct FileOut<'a> {
    version: u32,
    secrets: BTreeMap<&'a str, &'a str>,
}

impl FileBackend {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub async fn check(&self) -> Result<(), Error> {
        self.run(|file| file.read().map(drop)).await
    }

    pub async fn get(&self, item: &Item) -> Result<Option<Secret>, Error> {
        let user = item.user().to_owned();
        self.run(move |file| {
            let secrets = file.read()?;
            Ok(secrets.get(&user).map(encode_text))
        })
        .await
    }

    pub async fn put(&self, item: &Item, secret: Secret) -> Result<(), Error> {
        if secret.len() > MAX_SECRET_BYTES {
            return Err(Error::TooLong { item: item.user().to_owned() });
        }
        let text = decode_text(&secret).map_err(|why| item.corrupt(why))?;
        let user = item.user().to_owned();
        self.run(move |file| {
            file.change(|secrets| {
                secrets.insert(user, text);
                true
            })
            .map(drop)
        })
        .await
    }

    pub async fn delete(&self, item: &Item, condition: Option<Condition>) -> Result<bool, Error> {
        let user = item.user().to_owned();
        self.run(move |file| {
            file.change(|secrets| {
                let Some(text) = secrets.get(&user) else { return false };
                let is_met = condition.is_none_or(|condition| condition(&encode_text(text)));
                is_met && secrets.remove(&user).is_some()
            })
        })
        .await
    }

    pub async fn list(&self) -> Result<Vec<String>, Error> {
        self.run(|file| Ok(file.read()?.into_keys().collect())).await
    }

    /// Runs blocking work on a thread for blocking tasks. The work finishes even if the returned future is dropped.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let file = self.clone();
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || work(&file))
            .await
            .unwrap_or_else(|panic| Err(io_error("access", &path, io::Error::other(panic))))
    }

    /// Reads all secrets. A missing file contains none.
    fn read(&self) -> Result<Secrets, Error> {
        let file = match open_private(&self.path) {
            Ok(file) => file,
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(Secrets::new());
            }
            Err(error) => return Err(error),
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| io_error("read", &self.path, error))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(self.invalid("it is too large".to_owned()));
        }
        // The parser's message could quote a value.
        let parsed: FileIn = serde_json::from_slice(&bytes).map_err(|error| {
            self.invalid(format!("it is damaged at line {}, column {}", error.line(), error.column()))
        })?;
        if parsed.version != VERSION {
            return Err(self.invalid(format!("version {} was written by a newer Usher", parsed.version)));
        }
        Ok(parsed.secrets)
    }

    /// Applies `change`, and writes the file if `change` returns `true`.
    fn change(&self, change: impl FnOnce(&mut Secrets) -> bool) -> Result<bool, Error> {
        create_private_dir(folder_of(&self.path))
            .map_err(|error| io_error("create the folder of", &self.path, error))?;
        let _lock = self.lock()?;
        let mut secrets = self.read()?;
        let changed = change(&mut secrets);
        if changed {
            self.replace(&secrets)?;
        }
        Ok(changed)
    }

    fn replace(&self, secrets: &Secrets) -> Result<(), Error> {
        let failed = |error| io_error("write", &self.path, error);
        let secrets = secrets.iter().map(|(user, text)| (user.as_str(), text.expose_secret())).collect();
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
        serde_json::to_writer_pretty(&mut *bytes, &FileOut { version: VERSION, secrets })
            .map_err(|error| failed(error.into()))?;
        // A larger file could not be read again, and every secret in it would be lost.
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::Full { path: self.path.clone() });
        }
        private_files::replace(&self.path, &bytes).map_err(failed)
    }

    /// Locks the store against other processes until the returned file is dropped. The lock is a separate file, because
    /// the secrets file is replaced.
    fn lock(&self) -> Result<fs::File, Error> {
        let mut name = self.path.clone().into_os_string();
        name.push(".lock");
        let path = PathBuf::from(name);
        let file = private_files::create_private(&path)?;
        let started = Instant::now();
        // `File::lock` has no deadline, so the lock is polled.
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) if started.elapsed() < LOCK_DEADLINE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(io_error("lock", &path, ErrorKind::TimedOut.into()));
                }
                Err(fs::TryLockError::Error(error)) => return Err(io_error("lock", &path, error)),
            }
        }
    }

    fn invalid(&self, why: String) -> Error {
        Error::BrokenFile { path: self.path.clone(), why }
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { action, path: path.to_owned(), source }
}
