//! The system's keychain, spoken to from a thread of its own.
//!
//! A keychain may block as long as its question to unlock stays on the screen. So calls run on a thread that
//! can be abandoned (a blocking task of the runtime would be waited for at its end), each with a deadline.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use keyring_core::{CredentialStore, Error as KeyringError};
use secrecy::zeroize::Zeroizing;
use tokio::sync::oneshot;

use crate::backend::{Condition, Secret};
use crate::item::Item;
use crate::parts::{self, Items};
use crate::{Error, platform};

/// How long a call may take, its wait for others before it included.
const DEADLINE: Duration = Duration::from_secs(5);
/// How many threads may wait for a person at the same time; then calls fail at once.
const MOST_STUCK: usize = 4;

pub(crate) struct KeychainBackend {
    worker: Mutex<Worker>,
    stuck: Mutex<Vec<Weak<()>>>,
}

/// The sending end of a thread's queue. The thread ends when this is dropped.
#[derive(Clone)]
struct Worker {
    jobs: Option<Sender<Job>>,
    /// Held by the thread as long as it runs.
    alive: Weak<()>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

impl KeychainBackend {
    /// The thread begins with the first call.
    pub fn new() -> Self {
        Self { worker: Mutex::new(Worker { jobs: None, alive: Weak::new() }), stuck: Mutex::default() }
    }

    pub async fn check(&self) -> Result<(), Error> {
        self.run(|_, _| platform::unlock()).await
    }

    pub async fn get(&self, item: &Item) -> Result<Option<Secret>, Error> {
        let item = item.clone();
        self.run(move |store, _| match parts::get(&store, &item)? {
            Some(secret) => Ok(Some(secret)),
            None => platform::unlock().and_then(|()| parts::get(&store, &item)),
        })
        .await
    }

    pub async fn put(&self, item: &Item, secret: Secret) -> Result<(), Error> {
        let item = item.clone();
        self.run(move |store, still_wanted| {
            platform::unlock()?;
            still_wanted()?;
            parts::put(&store, &item, &secret)
        })
        .await
    }

    pub async fn delete(&self, item: &Item, condition: Option<Condition>) -> Result<bool, Error> {
        let item = item.clone();
        self.run(move |store, still_wanted| {
            platform::unlock()?;
            still_wanted()?;
            if let Some(condition) = &condition {
                let may = parts::get(&store, &item)?.is_some_and(|secret| condition(&secret));
                if !may {
                    return Ok(false);
                }
            }
            parts::remove(&store, &item)
        })
        .await
    }

    pub async fn list(&self) -> Result<Vec<String>, Error> {
        self.run(|store, _| {
            platform::unlock()?;
            platform::users(store.0).map_err(|error| platform::error(error, "list"))
        })
        .await
    }

    /// Runs `work` on the thread. `work` asks its second argument before it changes anything: a caller that
    /// was told "no answer" has perhaps written something newer since.
    async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(OpenStore<'_>, &dyn Fn() -> Result<(), Error>) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel::<Result<T, Error>>();
        let worker = self.worker()?;
        let job: Job = Box::new(move |connection| {
            if reply.is_closed() {
                return;
            }
            let still_wanted = || if reply.is_closed() { Err(timed_out()) } else { Ok(()) };
            let result = connection.run(|store| work(store, &still_wanted));
            // Nobody waits any more: the answer is of no use to anybody.
            let _ = reply.send(result);
        });
        let sent = worker.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        match tokio::time::timeout(DEADLINE, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => {
                self.abandon(&worker);
                let why =
                    if sent { "its thread ended in the middle of a call" } else { "its thread has ended" };
                Err(Error::Unavailable { why: why.to_owned() })
            }
            Err(_) => {
                tracing::warn!("the keychain gave no answer in time");
                self.abandon(&worker);
                Err(timed_out())
            }
        }
    }

    /// The thread in use, begun if there is none.
    fn worker(&self) -> Result<Worker, Error> {
        let mut worker = lock(&self.worker);
        if worker.jobs.is_none() {
            let mut stuck = lock(&self.stuck);
            stuck.retain(|alive| alive.strong_count() > 0);
            if stuck.len() >= MOST_STUCK {
                return Err(timed_out());
            }
            *worker = Worker::begin()?;
        }
        Ok(worker.clone())
    }

    /// Leaves a thread to itself; the next call begins another, with a store of its own.
    fn abandon(&self, stuck: &Worker) {
        let mut worker = lock(&self.worker);
        if worker.alive.ptr_eq(&stuck.alive) {
            worker.jobs = None;
            lock(&self.stuck).push(stuck.alive.clone());
        }
    }
}

impl Worker {
    fn begin() -> Result<Self, Error> {
        let (jobs, queue) = channel::<Job>();
        let token = Arc::new(());
        let alive = Arc::downgrade(&token);
        std::thread::Builder::new()
            .name("usher-keychain".to_owned())
            .spawn(move || {
                let _alive = token;
                serve(&queue);
            })
            .map_err(|error| Error::Unavailable { why: format!("its thread did not start: {error}") })?;
        Ok(Self { jobs: Some(jobs), alive })
    }
}

fn serve(queue: &Receiver<Job>) {
    let mut connection = Connection { store: None };
    while let Ok(job) = queue.recv() {
        job(&mut connection);
    }
}

fn timed_out() -> Error {
    Error::TimedOut { seconds: DEADLINE.as_secs() }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's connection, opened at the first use and after every error.
struct Connection {
    store: Option<Arc<CredentialStore>>,
}

impl Connection {
    fn run<T>(&mut self, work: impl Fn(OpenStore<'_>) -> Result<T, Error>) -> Result<T, Error> {
        // A kept connection may be of a keyring that was restarted since; a fresh one tells.
        if let Some(store) = self.store.take() {
            match work(OpenStore(&*store)) {
                Err(Error::Unavailable { why }) => tracing::debug!(why, "connecting to the keychain anew"),
                Err(error) => return Err(error),
                Ok(value) => {
                    self.store = Some(store);
                    return Ok(value);
                }
            }
        }
        let store = platform::open().map_err(|error| platform::error(error, "keychain"))?;
        let value = work(OpenStore(&*store))?;
        self.store = Some(store);
        Ok(value)
    }
}

/// An open keychain as items of limited length.
#[derive(Clone, Copy)]
struct OpenStore<'a>(&'a CredentialStore);

impl Items for OpenStore<'_> {
    const LIMIT: usize = platform::ITEM_LIMIT;

    fn read(&self, item: &Item) -> Result<Option<Secret>, Error> {
        match platform::entry(self.0, item).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(KeyringError::NoEntry) => Ok(None),
            Err(error) => Err(platform::error(error, item.user())),
        }
    }

    fn has(&self, item: &Item) -> Result<bool, Error> {
        match platform::entry(self.0, item).and_then(|entry| entry.get_credential()) {
            Ok(_) | Err(KeyringError::Ambiguous(_)) => Ok(true),
            Err(KeyringError::NoEntry) => Ok(false),
            Err(error) => Err(platform::error(error, item.user())),
        }
    }

    fn write(&self, item: &Item, bytes: &[u8]) -> Result<(), Error> {
        match platform::entry(self.0, item).and_then(|entry| entry.set_secret(bytes)) {
            // Two programs that wrote for the first time at once, or two collections: one stays.
            Err(KeyringError::Ambiguous(entries)) => {
                let mut entries = entries.into_iter();
                let kept = entries.next().map_or(Ok(()), |entry| entry.set_secret(bytes));
                kept.and_then(|()| entries.try_for_each(|entry| entry.delete_credential()))
            }
            other => other,
        }
        .map_err(|error| platform::error(error, item.user()))
    }

    fn remove(&self, item: &Item) -> Result<bool, Error> {
        let removed = match platform::entry(self.0, item).and_then(|entry| entry.delete_credential()) {
            Err(KeyringError::Ambiguous(entries)) => {
                entries.into_iter().try_for_each(|entry| entry.delete_credential())
            }
            other => other,
        };
        match removed {
            Ok(()) => Ok(true),
            Err(KeyringError::NoEntry) => Ok(false),
            Err(error) => Err(platform::error(error, item.user())),
        }
    }
}
