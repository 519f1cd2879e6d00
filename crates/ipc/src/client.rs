//! A process that talks to the one engine, which another holds.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use usher_api::{ErrorView, Event, Reply, Request, ServerId, ServerView, Snapshot};
use usher_engine::listens_at;

use crate::error::is_hang_up;
use crate::line::{self, LONGEST_OPENING, LONGEST_REPLY, LONGEST_REQUEST, LineError, Lines};
use crate::message::{Asked, Hello, PROTOCOL, Told};
use crate::mirror::Mirror;
use crate::{AskError, ConnectError, HolderKind, Opening, socket};

/// How long the holder may take to welcome us. It may be busy with its start.
const WELCOME_DEADLINE: Duration = Duration::from_secs(10);
/// Changes that a slow reader may fall behind.
const BACKLOG: usize = 1024;

/// One change, as it was told to a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    Event(Box<Event>),
    /// Events were lost; the snapshot is new.
    Anew,
}

/// A connection to the holder of the engine; it ends when this is dropped.
pub struct Client {
    holder: HolderKind,
    secret_store: String,
    mirror: Option<Arc<Mirror>>,
    updates: broadcast::WeakSender<Update>,
    asked: mpsc::Sender<Asked>,
    waiting: Waiting,
    next_id: AtomicU64,
    tasks: [JoinHandle<()>; 2],
}

impl Client {
    /// Connects to whoever listens in `runtime_dir`, a folder that nobody else may enter.
    pub async fn connect(runtime_dir: &Path, opening: Opening) -> Result<Self, ConnectError> {
        let stream = socket::connect(runtime_dir).await?;
        let (reader, writer) = tokio::io::split(stream);
        let mut lines = Lines::new(reader);
        let (told, writer) = timeout(WELCOME_DEADLINE, greet(&mut lines, writer, opening))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let (holder, secret_store, snapshot) = match told {
            Told::Welcome { holder, secret_store, snapshot } => (holder, secret_store, snapshot),
            Told::Refused(error) => return Err(ConnectError::Refused(error)),
            Told::Ended => return Err(ConnectError::NotRunning),
            Told::Replied { .. } | Told::Moved { .. } | Told::Event(_) | Told::Anew(_) => {
                return Err(io::Error::from(io::ErrorKind::InvalidData).into());
            }
        };
        let mirror = snapshot.map(|snapshot| Arc::new(Mirror::new(*snapshot)));
        let updates = broadcast::channel(BACKLOG).0;
        let weak = updates.downgrade();
        let waiting = Waiting::default();
        let hearing = hear(lines, updates, mirror.clone(), waiting.clone());
        let (asked, asks) = mpsc::channel(16);
        let tasks = [tokio::spawn(hearing), tokio::spawn(speak(writer, asks))];
        Ok(Self {
            holder,
            secret_store,
            mirror,
            updates: weak,
            asked,
            waiting,
            next_id: AtomicU64::new(1),
            tasks,
        })
    }

    /// Connects to whoever keeps the engine's state in `state_dir`, though it may listen in another folder than ours: a
    /// shell without a session has another one than the session.
    pub async fn find(state_dir: &Path, runtime_dir: &Path, opening: Opening) -> Result<Self, ConnectError> {
        match Self::connect(runtime_dir, opening.clone()).await {
            Err(error @ (ConnectError::NotRunning | ConnectError::Io(_))) => match listens_at(state_dir) {
                Some(elsewhere) if elsewhere != runtime_dir => Self::connect(&elsewhere, opening).await,
                Some(_) | None => Err(error),
            },
            outcome => outcome,
        }
    }

    /// Asks the engine and waits for its answer.
    pub async fn ask(&self, request: Request) -> Result<Reply, AskError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let patience = request.deadline();
        let reply = self.waiting.expect(id)?;
        self.asked.send(Asked { id, request }).await.map_err(|_| AskError::Gone)?;
        let outcome = match patience {
            None => reply.await,
            Some(patience) => timeout(patience, reply).await.map_err(|_| AskError::Lost)?,
        };
        outcome.unwrap_or(Err(AskError::Lost))
    }

    /// What kind of program holds the engine.
    pub fn holder(&self) -> HolderKind {
        self.holder
    }

    /// Where the holder keeps secrets, as the person says it: `keychain`, `file:PATH` or `memory`.
    pub fn secret_store(&self) -> &str {
        &self.secret_store
    }

    /// Everything as it was told last; `None` for a client that wanted no events.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.mirror.as_ref().map(|mirror| mirror.snapshot())
    }

    /// One server, as it was told last.
    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.mirror.as_ref()?.server(id)
    }

    /// What changes from now on; closed when the holder went away. What a reply speaks of was told before it.
    pub fn subscribe(&self) -> broadcast::Receiver<Update> {
        match self.updates.upgrade() {
            Some(updates) => updates.subscribe(),
            None => broadcast::channel(1).1,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Says who we are and reads the first line. A holder that hangs up in the middle is one that goes.
async fn greet<R, W>(lines: &mut Lines<R>, mut writer: W, opening: Opening) -> Result<(Told, W), ConnectError>
where
    R: AsyncRead + Unpin,
    W: tokio::io::AsyncWrite + Unpin,
{
    let hello = Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned(), opening };
    // The refusal of somebody who did not even listen to us is worth reading.
    let written = line::write(&mut writer, &hello, LONGEST_OPENING).await;
    match lines.next(LONGEST_REPLY).await {
        Ok(Some(told)) => Ok((told, writer)),
        Ok(None) => Err(ConnectError::NotRunning),
        Err(LineError::Io(error)) if is_hang_up(&error) => Err(ConnectError::NotRunning),
        Err(error) => Err(ConnectError::Io(match written {
            Err(LineError::Io(error)) => error,
            Err(_) | Ok(()) => io::Error::new(io::ErrorKind::InvalidData, error),
        })),
    }
}

async fn speak(mut writer: impl tokio::io::AsyncWrite + Unpin, mut asks: mpsc::Receiver<Asked>) {
    while let Some(asked) = asks.recv().await {
        if let Err(error) = line::write(&mut writer, &asked, LONGEST_REQUEST).await {
            tracing::debug!(%error, "the running Usher takes nothing more");
            return;
        }
    }
}

/// Reads until the holder goes away; whoever still waits learns it then.
async fn hear(
    mut lines: Lines<impl AsyncRead + Unpin>,
    updates: broadcast::Sender<Update>,
    mirror: Option<Arc<Mirror>>,
    waiting: Waiting,
) {
    let mut last_word = AskError::Lost;
    loop {
        match lines.next(LONGEST_REPLY).await {
            Ok(Some(Told::Replied { id, outcome })) => {
                waiting.settle(id, outcome.map_err(AskError::Refused));
            }
            Ok(Some(Told::Moved { id })) => waiting.settle(id, Err(AskError::Moved)),
            Ok(Some(Told::Event(event))) => {
                if mirror.as_ref().is_none_or(|mirror| mirror.apply(&event)) {
                    let _ = updates.send(Update::Event(event));
                }
            }
            Ok(Some(Told::Anew(snapshot))) => {
                if let Some(mirror) = &mirror {
                    mirror.replace(*snapshot);
                }
                let _ = updates.send(Update::Anew);
            }
            Ok(Some(Told::Refused(error))) => last_word = AskError::Refused(error),
            Ok(Some(Told::Ended)) => {
                last_word = AskError::Gone;
                break;
            }
            Ok(Some(Told::Welcome { .. }) | None) => break,
            Err(error) => {
                tracing::debug!(%error, "the running Usher went away");
                break;
            }
        }
    }
    waiting.end(&last_word);
}

/// The requests that wait for their replies; `None` once no more can come.
#[derive(Clone)]
struct Waiting(Arc<Mutex<Option<Replies>>>);

type Replies = HashMap<u64, oneshot::Sender<Result<Reply, AskError>>>;

impl Default for Waiting {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(Replies::new()))))
    }
}

impl Waiting {
    fn expect(&self, id: u64) -> Result<oneshot::Receiver<Result<Reply, AskError>>, AskError> {
        let (sender, receiver) = oneshot::channel();
        self.lock().as_mut().ok_or(AskError::Gone)?.insert(id, sender);
        Ok(receiver)
    }

    fn settle(&self, id: u64, outcome: Result<Reply, AskError>) {
        if let Some(sender) = self.lock().as_mut().and_then(|replies| replies.remove(&id)) {
            let _ = sender.send(outcome);
        }
    }

    fn end(&self, why: &AskError) {
        for (_, sender) in self.lock().take().into_iter().flatten() {
            let _ = sender.send(Err(why.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Replies>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For what a client of this room tells in a person's words.
impl From<AskError> for ErrorView {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(error) => error,
            AskError::Moved | AskError::Gone | AskError::Lost => Self {
                code: usher_api::Code::Internal,
                message: "The Usher that did this has ended meanwhile.".to_owned(),
                hint: Some("Try again.".to_owned()),
                details: None,
            },
        }
    }
}
