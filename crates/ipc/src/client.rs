//! A connection to the process that holds the engine.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use usher_api::{Event, Reply, Request, ServerId, ServerView, Snapshot};
use usher_engine::listens_at;

use crate::error::is_closed;
use crate::line::{self, LineError, Lines, MAX_HELLO, MAX_REPLY, MAX_REQUEST};
use crate::message::{ClientMessage, Hello, HolderMessage, PROTOCOL};
use crate::mirror::Mirror;
use crate::{AskError, ConnectError, HolderKind, JoinOptions, socket};

/// How long the holder may take to accept a client. It may still be starting.
const WELCOME_DEADLINE: Duration = Duration::from_secs(10);
/// How many updates a slow subscriber may fall behind.
const UPDATE_BACKLOG: usize = 1024;

/// A change to the client's copy of the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    Event(Box<Event>),
    /// Events were lost, so the snapshot was replaced.
    Reset,
}

/// A client of the engine's holder. Dropping it closes the connection.
pub struct Client {
    holder: HolderKind,
    secret_store: String,
    mirror: Option<Arc<Mirror>>,
    updates: broadcast::WeakSender<Update>,
    requests: mpsc::Sender<ClientMessage>,
    pending: PendingReplies,
    next_id: AtomicU64,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Client {
    /// Connects to the holder that listens in `runtime_dir`, a folder that no other user may enter.
    pub async fn connect(runtime_dir: &Path, options: JoinOptions) -> Result<Self, ConnectError> {
        let stream = socket::connect(runtime_dir).await?;
        let (reader, writer) = tokio::io::split(stream);
        let mut lines = Lines::new(reader);
        let (first, writer) = timeout(WELCOME_DEADLINE, shake_hands(&mut lines, writer, options))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let (holder, secret_store, snapshot) = match first {
            HolderMessage::Welcome { holder, secret_store, snapshot } => (holder, secret_store, snapshot),
            HolderMessage::Refused(error) => return Err(ConnectError::Refused(error)),
            HolderMessage::Ended => return Err(ConnectError::NotRunning),
            HolderMessage::Reply { .. }
            | HolderMessage::NotStarted { .. }
            | HolderMessage::Event(_)
            | HolderMessage::Reset(_) => return Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        };
        let mirror = snapshot.map(|snapshot| Arc::new(Mirror::new(*snapshot)));
        let updates = broadcast::channel(UPDATE_BACKLOG).0;
        let weak_updates = updates.downgrade();
        let pending = PendingReplies::default();
        let reading = read_messages(lines, updates, mirror.clone(), pending.clone());
        let (requests, queue) = mpsc::channel(16);
        let tasks = [tokio::spawn(reading), tokio::spawn(write_requests(writer, queue))];
        Ok(Self {
            holder,
            secret_store,
            mirror,
            updates: weak_updates,
            requests,
            pending,
            next_id: AtomicU64::new(1),
            _tasks: tasks.map(AbortOnDropHandle::new),
        })
    }

    /// Connects to the holder that uses `state_dir`. Tries `runtime_dir` first, then the holder's own runtime folder.
    /// The two differ in a terminal outside the desktop session, such as SSH.
    pub async fn find(
        state_dir: &Path,
        runtime_dir: &Path,
        options: JoinOptions,
    ) -> Result<Self, ConnectError> {
        match Self::connect(runtime_dir, options.clone()).await {
            Err(error @ (ConnectError::NotRunning | ConnectError::Io(_))) => match listens_at(state_dir) {
                Some(other) if other != runtime_dir => Self::connect(&other, options).await,
                Some(_) | None => Err(error),
            },
            outcome => outcome,
        }
    }

    /// Sends one request and waits for its reply.
    pub async fn ask(&self, request: Request) -> Result<Reply, AskError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let deadline = request.deadline();
        let reply = self.pending.insert(id)?;
        self.requests.send(ClientMessage { id, request }).await.map_err(|_| AskError::Ended)?;
        let outcome = match deadline {
            None => reply.await,
            Some(deadline) => timeout(deadline, reply).await.map_err(|_| AskError::OutcomeUnknown)?,
        };
        outcome.unwrap_or(Err(AskError::OutcomeUnknown))
    }

    pub fn holder(&self) -> HolderKind {
        self.holder
    }

    /// Returns the holder's secret store: `keychain`, `file:PATH` or `memory`.
    pub fn secret_store(&self) -> &str {
        &self.secret_store
    }

    /// Returns the latest known state; `None` if the client did not ask for events.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.mirror.as_ref().map(|mirror| mirror.snapshot())
    }

    /// Returns the latest known view of one server.
    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.mirror.as_ref()?.server(id)
    }

    /// Subscribes to updates. The updates that a request causes are received before its reply. The channel closes when
    /// the holder ends.
    pub fn subscribe(&self) -> broadcast::Receiver<Update> {
        match self.updates.upgrade() {
            Some(updates) => updates.subscribe(),
            None => broadcast::channel(1).1,
        }
    }
}

/// Sends the hello and reads the first message. A holder that closes the connection without a message is ending.
async fn shake_hands<R, W>(
    lines: &mut Lines<R>,
    mut writer: W,
    options: JoinOptions,
) -> Result<(HolderMessage, W), ConnectError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let hello = Hello { protocol: PROTOCOL, version, options };
    // A holder may refuse the client without reading the hello. Its reason is more useful than the write error.
    let written = line::write(&mut writer, &hello, MAX_HELLO).await;
    match lines.next(MAX_REPLY).await {
        Ok(Some(first)) => Ok((first, writer)),
        Ok(None) => Err(ConnectError::NotRunning),
        Err(LineError::Io(error)) if is_closed(&error) => Err(ConnectError::NotRunning),
        Err(error) => Err(ConnectError::Io(match written {
            Err(LineError::Io(error)) => error,
            Err(_) | Ok(()) => io::Error::new(io::ErrorKind::InvalidData, error),
        })),
    }
}

async fn write_requests(mut writer: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<ClientMessage>) {
    while let Some(message) = queue.recv().await {
        if let Err(error) = line::write(&mut writer, &message, MAX_REQUEST).await {
            tracing::debug!(%error, "could not send a request to the running Usher");
            return;
        }
    }
}

/// Reads until the holder disconnects, then fails the requests that still wait for a reply.
async fn read_messages(
    mut lines: Lines<impl AsyncRead + Unpin>,
    updates: broadcast::Sender<Update>,
    mirror: Option<Arc<Mirror>>,
    pending: PendingReplies,
) {
    let mut final_error = AskError::OutcomeUnknown;
    loop {
        match lines.next(MAX_REPLY).await {
            Ok(Some(HolderMessage::Reply { id, outcome })) => {
                pending.complete(id, outcome.map_err(AskError::Failed));
            }
            Ok(Some(HolderMessage::NotStarted { id })) => pending.complete(id, Err(AskError::NotStarted)),
            Ok(Some(HolderMessage::Event(event))) => {
                if mirror.as_ref().is_none_or(|mirror| mirror.apply(&event)) {
                    let _ = updates.send(Update::Event(event));
                }
            }
            Ok(Some(HolderMessage::Reset(snapshot))) => {
                if let Some(mirror) = &mirror {
                    mirror.replace(*snapshot);
                }
                let _ = updates.send(Update::Reset);
            }
            Ok(Some(HolderMessage::Refused(error))) => final_error = AskError::Failed(error),
            Ok(Some(HolderMessage::Ended)) => {
                final_error = AskError::Ended;
                break;
            }
            Ok(Some(HolderMessage::Welcome { .. }) | None) => break,
            Err(error) => {
                tracing::debug!(%error, "lost the connection to the running Usher");
                break;
            }
        }
    }
    pending.close(&final_error);
}

/// The requests that wait for their replies; `None` after the connection is closed.
#[derive(Clone)]
struct PendingReplies(Arc<Mutex<Option<ReplySenders>>>);

type ReplySenders = HashMap<u64, oneshot::Sender<Result<Reply, AskError>>>;

impl Default for PendingReplies {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(ReplySenders::new()))))
    }
}

impl PendingReplies {
    fn insert(&self, id: u64) -> Result<oneshot::Receiver<Result<Reply, AskError>>, AskError> {
        let (sender, receiver) = oneshot::channel();
        self.lock().as_mut().ok_or(AskError::Ended)?.insert(id, sender);
        Ok(receiver)
    }

    fn complete(&self, id: u64, outcome: Result<Reply, AskError>) {
        if let Some(sender) = self.lock().as_mut().and_then(|senders| senders.remove(&id)) {
            let _ = sender.send(outcome);
        }
    }

    fn close(&self, error: &AskError) {
        for (_, sender) in self.lock().take().into_iter().flatten() {
            let _ = sender.send(Err(error.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<ReplySenders>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
