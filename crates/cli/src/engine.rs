//! The one engine: inside this command where nobody else holds it, else in the process that does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;
use usher_api::{ElicitationAnswer, Event, Reply, Request, ServerId, ServerView, Snapshot};
use usher_engine::{Engine, EngineOptions, Events, StartError};
use usher_ipc::{
    AskError, Client, ConnectError, Holder, HolderKind, Opening, Places, Server, Servers, Update,
};

use crate::exit::{Failure, internal};

/// How long a holder that has just come or is about to go is waited for.
const REACHING: Duration = Duration::from_secs(20);
/// How long a holder that takes nothing more is waited for: it finishes what others asked of it.
const MOVING: Duration = Duration::from_secs(120);
const NEXT_TRY: Duration = Duration::from_millis(20);

/// A way to the one engine, wherever it is. When its holder goes away, this command takes the lock or connects again.
pub struct Handle {
    options: EngineOptions,
    places: Places,
    at: Mutex<Arc<At>>,
    /// A call of this command answers what belongs to no call.
    is_asked: Arc<AtomicBool>,
    reaching: tokio::sync::Mutex<()>,
}

enum At {
    Here { engine: Engine, server: Mutex<Option<Server>>, _declining: Declining },
    There(Box<Client>),
}

/// Declines until it is dropped.
struct Declining(AbortHandle);

/// What changes; it ends when the holder went away.
pub enum Updates {
    Here(Events),
    There(broadcast::Receiver<Update>),
}

impl Handle {
    /// Takes the lock, or connects to whoever has it.
    pub async fn open(options: EngineOptions, places: Places) -> Result<Self, Failure> {
        let is_asked = Arc::default();
        let at = Mutex::new(Arc::new(reach(&options, &places, &is_asked).await?));
        Ok(Self { options, places, at, is_asked, reaching: tokio::sync::Mutex::default() })
    }

    /// Whether a call of this command runs, which answers the questions that come here.
    pub fn set_asked(&self, is_asked: bool) {
        self.is_asked.store(is_asked, Ordering::SeqCst);
    }

    /// What kind of program holds the engine.
    pub fn holder(&self) -> HolderKind {
        match &*self.at() {
            At::Here { .. } => HolderKind::Command,
            At::There(client) => client.holder(),
        }
    }

    pub fn snapshot(&self) -> Result<Snapshot, Failure> {
        match &*self.at() {
            At::Here { engine, .. } => Ok(engine.snapshot()),
            At::There(client) => client.snapshot().ok_or_else(unexpected),
        }
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        match &*self.at() {
            At::Here { engine, .. } => engine.server(id),
            At::There(client) => client.server(id),
        }
    }

    pub fn updates(&self) -> Updates {
        match &*self.at() {
            At::Here { engine, .. } => Updates::Here(engine.subscribe()),
            At::There(client) => Updates::There(client.subscribe()),
        }
    }

    /// Asks the engine. What nobody began is asked again of whoever holds it next, and so is what may be repeated.
    pub async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let begun = Instant::now();
        loop {
            let at = self.lock().clone();
            let error = match &*at {
                At::Here { engine, .. } => return Ok(engine.handle(request).await?),
                At::There(client) => match client.ask(request.clone()).await {
                    Ok(reply) => return Ok(reply),
                    Err(error) => error,
                },
            };
            match error {
                AskError::Refused(error) => return Err(error.into()),
                AskError::Moved if begun.elapsed() < MOVING => tokio::time::sleep(NEXT_TRY).await,
                AskError::Gone => self.reach_again(&at).await?,
                AskError::Lost if request.may_be_repeated() => self.reach_again(&at).await?,
                AskError::Moved => return Err(busy()),
                AskError::Lost => return Err(gone(&request)),
            }
        }
    }

    /// After updates ended: takes the lock or connects again.
    pub async fn follow_on(&self) -> Result<(), Failure> {
        let at = self.lock().clone();
        self.reach_again(&at).await
    }

    async fn reach_again(&self, left: &Arc<At>) -> Result<(), Failure> {
        let _one_at_a_time = self.reaching.lock().await;
        if Arc::ptr_eq(&self.at(), left) {
            let reached = Arc::new(reach(&self.options, &self.places, &self.is_asked).await?);
            *self.lock() = reached;
        }
        Ok(())
    }

    /// Ends. An engine inside this command first finishes what other commands asked of it, `waits` is told when that
    /// takes longer than a moment; and it stays until the services know of what was signed out. Ctrl-C waits for neither.
    pub async fn close(self, waits: impl FnOnce()) {
        let at = self.at();
        let At::Here { engine, server, .. } = &*at else { return };
        let server = server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            let finish = server.finish();
            tokio::pin!(finish);
            tokio::select! {
                () = &mut finish => {}
                () = tokio::time::sleep(Duration::from_millis(500)) => {
                    waits();
                    tokio::select! {
                        () = &mut finish => {}
                        _ = tokio::signal::ctrl_c() => {}
                    }
                }
            }
        }
        tokio::select! {
            () = engine.revocations_ended() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        engine.stop().await;
    }

    fn at(&self) -> Arc<At> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<At>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Updates {
    pub async fn next(&mut self) -> Option<Update> {
        match self {
            Self::Here(events) => match events.recv().await {
                Ok(event) => Some(Update::Event(Box::new(event))),
                Err(RecvError::Lagged(_)) => Some(Update::Anew),
                Err(RecvError::Closed) => None,
            },
            Self::There(updates) => match updates.recv().await {
                Ok(update) => Some(update),
                Err(RecvError::Lagged(_)) => Some(Update::Anew),
                Err(RecvError::Closed) => None,
            },
        }
    }
}

/// What a server asks outside any call that is known comes to the holder. A command that calls nothing has nobody to
/// ask: it says so, so that the server does not wait.
fn decline_for_nobody(engine: &Engine, is_asked: Arc<AtomicBool>) -> Declining {
    let mut events = engine.subscribe();
    let engine = engine.clone();
    let task = tokio::spawn(async move {
        loop {
            let question = match events.recv().await {
                Ok(Event::ElicitationRequested { elicitation, .. }) => elicitation,
                Ok(_) | Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            if !is_asked.load(Ordering::SeqCst) {
                let declined = engine.answer_elicitation(&question.id, ElicitationAnswer::Decline).await;
                tracing::info!(server = %question.server, ?declined, "declined what nobody here can answer");
            }
        }
    });
    Declining(task.abort_handle())
}

impl Drop for Declining {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The lock, or a connection to its holder. Between the two lies a moment in which a holder does not listen yet, or
/// not any more.
async fn reach(options: &EngineOptions, places: &Places, is_asked: &Arc<AtomicBool>) -> Result<At, Failure> {
    let servers = options.only.clone().map_or(Servers::All, Servers::These);
    let opening = Opening { places: Some(places.clone()), servers, events: true };
    let begun = Instant::now();
    loop {
        let (pid, runtime_dir) = match Engine::start(options.clone()).await {
            Ok(engine) => {
                let _declining = decline_for_nobody(&engine, Arc::clone(is_asked));
                let server = Server::start(engine.clone(), Holder::Command);
                let server =
                    server.inspect_err(|error| tracing::warn!(%error, "no other command can join in")).ok();
                return Ok(At::Here { engine, server: Mutex::new(server), _declining });
            }
            Err(StartError::Held { pid, runtime_dir }) => (pid, runtime_dir),
            Err(StartError::Failed(error)) => return Err(error.into()),
        };
        match Client::connect(&runtime_dir, opening.clone()).await {
            Ok(client) => return Ok(At::There(Box::new(client))),
            Err(ConnectError::Refused(error)) => return Err(error.into()),
            Err(ConnectError::NotRunning) if begun.elapsed() < REACHING => {}
            Err(ConnectError::Io(error)) if is_slow(&error) && begun.elapsed() < REACHING => {}
            Err(error) => return Err(held(pid, &error)),
        }
        tokio::time::sleep(NEXT_TRY).await;
    }
}

/// A holder that is there and takes its time, or has been killed meanwhile.
fn is_slow(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::TimedOut
}

fn held(pid: Option<u32>, error: &ConnectError) -> Failure {
    let holder = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let mut failure = internal(format!("Usher is already running{holder}, and does not answer."));
    failure.error.hint = Some("Quit it and try again.".into());
    failure.error.details = Some(error.to_string());
    failure
}

fn busy() -> Failure {
    let mut failure =
        internal("The `usher` command that holds the sign-ins is about to end, and takes nothing more.");
    failure.error.hint = Some("Try again when it has ended.".into());
    failure
}

fn gone(request: &Request) -> Failure {
    let message = match request {
        Request::CallTool { tool, .. } => {
            let tool = usher_config::display_text(tool, 80);
            format!("The Usher that called {tool} went away; nobody knows whether the tool did its work.")
        }
        _ => "The Usher that was asked went away, and nobody knows what it did.".to_owned(),
    };
    let mut failure = internal(message);
    failure.error.hint = Some("Look first, then try again.".into());
    failure
}

/// The other end is of our own version, so this cannot be.
pub fn unexpected() -> Failure {
    internal("The running Usher answered something else than it was asked.")
}
