//! The thread that speaks to the system's keychain.
//!
//! A keychain may block as long as its question to unlock stays on the screen. So calls run on a thread that can be
//! abandoned (a blocking task of the runtime would be waited for at its end), each with a deadline.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::Error;
use crate::platform::Keychain;

/// How many threads may wait for a keychain at the same time; then calls fail at once.
const MOST_STUCK: usize = 4;

/// A queue to one thread at a time; the next one begins where one is stuck.
pub(crate) struct KeychainThread {
    /// How long a call may take, its wait for others before it included.
    deadline: Duration,
    worker: Mutex<Worker>,
    stuck: Mutex<Vec<Weak<()>>>,
}

/// Says whether the caller still waits: one that was told "no answer" has perhaps written something newer since.
pub(crate) type StillWanted<'a> = &'a dyn Fn() -> Result<(), Error>;

/// The sending end of a thread's queue. The thread ends when this is dropped.
#[derive(Clone)]
struct Worker {
    jobs: Option<Sender<Job>>,
    /// Held by the thread as long as it runs.
    alive: Weak<()>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

impl KeychainThread {
    /// The thread begins with the first call.
    pub fn new(deadline: Duration) -> Self {
        let worker = Worker { jobs: None, alive: Weak::new() };
        Self { deadline, worker: Mutex::new(worker), stuck: Mutex::default() }
    }

    /// Runs `work` on the thread. `work` asks its second argument before it changes anything.
    pub async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Keychain, StillWanted<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel::<Result<T, Error>>();
        let worker = self.worker()?;
        let timed_out = self.timed_out();
        let job: Job = Box::new(move |connection| {
            if reply.is_closed() {
                return;
            }
            let still_wanted = || if reply.is_closed() { Err(timed_out()) } else { Ok(()) };
            let result = connection.run(|keychain| work(keychain, &still_wanted));
            // Nobody waits any more: the answer is of no use to anybody.
            let _ = reply.send(result);
        });
        let sent = worker.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        match tokio::time::timeout(self.deadline, answer).await {
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
                Err(self.timed_out()())
            }
        }
    }

    fn timed_out(&self) -> impl Fn() -> Error + Send + use<> {
        let seconds = self.deadline.as_secs();
        move || Error::TimedOut { seconds }
    }

    /// The thread in use, begun if there is none.
    fn worker(&self) -> Result<Worker, Error> {
        let mut worker = lock(&self.worker);
        if worker.jobs.is_none() {
            let mut stuck = lock(&self.stuck);
            stuck.retain(|alive| alive.strong_count() > 0);
            if stuck.len() >= MOST_STUCK {
                return Err(self.timed_out()());
            }
            *worker = Worker::begin()?;
        }
        Ok(worker.clone())
    }

    /// Leaves a thread to itself; the next call begins another, with a connection of its own.
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
    let mut connection = Connection { keychain: None };
    while let Ok(job) = queue.recv() {
        job(&mut connection);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's connection, opened at the first use and after every error.
struct Connection {
    keychain: Option<Keychain>,
}

impl Connection {
    fn run<T>(&mut self, work: impl Fn(&Keychain) -> Result<T, Error>) -> Result<T, Error> {
        // A kept connection may be of a keyring that was restarted since; a fresh one tells.
        if let Some(keychain) = self.keychain.take() {
            match work(&keychain) {
                Err(Error::Unavailable { why }) => tracing::debug!(why, "connecting to the keychain anew"),
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
