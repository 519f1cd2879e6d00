//! The thread that calls the system's keychain.
//!
//! A keychain may block while its unlock prompt is open. Every call therefore has a deadline and runs on a thread that
//! can be abandoned. A blocking task of the runtime cannot be abandoned, because the runtime waits for it on shutdown.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::Error;
use crate::platform::Keychain;

/// The maximum number of abandoned threads. At this number, new calls fail immediately.
const MAX_STUCK: usize = 4;

/// A thread with a queue of calls. If the thread gets stuck, a new thread takes over.
pub(crate) struct KeychainThread {
    /// The deadline of a call, including its time in the queue.
    deadline: Duration,
    worker: Mutex<Worker>,
    stuck: Mutex<Vec<Weak<()>>>,
}

/// A function that fails if the caller is no longer waiting. After a timeout, the caller may have written a newer
/// value, which an old call must not overwrite.
pub(crate) type EnsureCallerWaits<'a> = &'a dyn Fn() -> Result<(), Error>;

/// The sending end of a thread's queue. The thread ends when the last sender is dropped.
#[derive(Clone)]
struct Worker {
    jobs: Option<Sender<Job>>,
    /// A reference that can be upgraded while the thread runs.
    alive: Weak<()>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

impl KeychainThread {
    /// Creates a handle. The first call starts the thread.
    pub fn new(deadline: Duration) -> Self {
        let worker = Worker { jobs: None, alive: Weak::new() };
        Self { deadline, worker: Mutex::new(worker), stuck: Mutex::default() }
    }

    /// Runs `work` on the thread. `work` must call its second argument before it changes the keychain.
    pub async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Keychain, EnsureCallerWaits<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (reply, result) = oneshot::channel::<Result<T, Error>>();
        let worker = self.worker()?;
        let timeout_error = self.timeout_error();
        let job: Job = Box::new(move |connection| {
            if reply.is_closed() {
                return;
            }
            let ensure_caller_waits = || if reply.is_closed() { Err(timeout_error()) } else { Ok(()) };
            let result = connection.run(|keychain| work(keychain, &ensure_caller_waits));
            // The caller may have timed out.
            let _ = reply.send(result);
        });
        let sent = worker.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        match tokio::time::timeout(self.deadline, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => {
                self.abandon(&worker);
                let why = if sent { "its thread ended during a call" } else { "its thread has ended" };
                Err(Error::Unavailable { why: why.to_owned() })
            }
            Err(_) => {
                tracing::warn!("the keychain call timed out");
                self.abandon(&worker);
                Err(self.timeout_error()())
            }
        }
    }

    fn timeout_error(&self) -> impl Fn() -> Error + Send + use<> {
        let seconds = self.deadline.as_secs();
        move || Error::TimedOut { seconds }
    }

    /// Returns the current thread, or starts one.
    fn worker(&self) -> Result<Worker, Error> {
        let mut worker = lock(&self.worker);
        if worker.jobs.is_none() {
            let mut stuck = lock(&self.stuck);
            stuck.retain(|alive| alive.strong_count() > 0);
            if stuck.len() >= MAX_STUCK {
                return Err(self.timeout_error()());
            }
            *worker = Worker::start()?;
        }
        Ok(worker.clone())
    }

    /// Abandons a stuck thread. The next call starts another one with its own connection.
    fn abandon(&self, stuck: &Worker) {
        let mut worker = lock(&self.worker);
        if worker.alive.ptr_eq(&stuck.alive) {
            worker.jobs = None;
            lock(&self.stuck).push(stuck.alive.clone());
        }
    }
}

impl Worker {
    fn start() -> Result<Self, Error> {
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
    let mut connection = Connection { keychain: None };
    while let Ok(job) = queue.recv() {
        job(&mut connection);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's connection, opened on first use and again after every error.
struct Connection {
    keychain: Option<Keychain>,
}

impl Connection {
    fn run<T>(&mut self, work: impl Fn(&Keychain) -> Result<T, Error>) -> Result<T, Error> {
        // The existing connection may belong to a keychain that has restarted, so a failed call is retried with a new
        // connection.
        if let Some(keychain) = self.keychain.take() {
            match work(&keychain) {
                Err(Error::Unavailable { why }) => tracing::debug!(why, "reconnecting to the keychain"),
                Err(error) => return Err(error),
                Ok(value) => {
                    self.keychain = Some(keychain);
                    return Ok(value);
                }
            }
        }
        let keychain = Keychain::open()?;
        let value = work(&keychain)?;
        self.keychain = Some(keychain);
        Ok(value)
    }
}
