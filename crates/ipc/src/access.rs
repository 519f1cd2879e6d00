//! Access to the engine: in this process, or through the process that holds it.

use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep};
use usher_api::{Code, ErrorView, Reply, Request, ServerId, ServerView, Snapshot};
use usher_engine::{Engine, EngineOptions, Events, StartError};

use crate::{AskError, Client, ConnectError, HolderKind, JoinOptions, Update};

/// How long to wait for a holder that is starting or ending.
const JOIN_DEADLINE: Duration = Duration::from_secs(20);
const JOIN_RETRY: Duration = Duration::from_millis(20);
/// How long to wait before `on_wait` is called. Most commands end sooner.
const QUIET_WAIT: Duration = Duration::from_secs(2);
const HOLD_RETRY: Duration = Duration::from_millis(200);

/// The engine, in this process or in another one.
pub enum Access {
    /// This process holds the engine.
    Held(Engine),
    /// Another process holds it.
    Joined(Client),
}

/// The changes to the engine's state, until its holder ends.
pub enum Updates {
    Held(Events),
    Joined(broadcast::Receiver<Update>),
}

impl Access {
    /// Starts the engine, or joins the process that holds it.
    ///
    /// A holder takes the lock before it listens, and stops listening before it releases the lock. Retries while the
    /// holder has the lock but does not listen.
    pub async fn open(options: &EngineOptions, join: &JoinOptions) -> Result<Self, ErrorView> {
        let begun = Instant::now();
        loop {
            let (pid, runtime_dir) = match Engine::start(options.clone()).await {
                Ok(engine) => return Ok(Self::Held(engine)),
                Err(StartError::Held { pid, runtime_dir }) => (pid, runtime_dir),
                Err(StartError::Failed(error)) => return Err(error),
            };
            match Client::connect(&runtime_dir, join.clone()).await {
                Ok(client) => return Ok(Self::Joined(client)),
                Err(ConnectError::Refused(error)) => return Err(error),
                Err(error) if error.is_temporary() && begun.elapsed() < JOIN_DEADLINE => {}
                Err(error) => return Err(unreachable_holder(pid, &error)),
            }
            sleep(JOIN_RETRY).await;
        }
    }

    /// Starts the engine for a program of this kind, as soon as no command holds it. Returns [`StartError::Held`] if
    /// another app holds it. `usher serve` makes room for the app, but not for another `usher serve`.
    ///
    /// `on_wait` is called with the command's process id if the wait takes longer than two seconds.
    pub async fn hold(
        options: &EngineOptions,
        kind: HolderKind,
        on_wait: impl FnOnce(Option<u32>),
    ) -> Result<Engine, StartError> {
        let begun = Instant::now();
        let mut on_wait = Some(on_wait);
        loop {
            let (pid, runtime_dir) = match Engine::start(options.clone()).await {
                Err(StartError::Held { pid, runtime_dir }) => (pid, runtime_dir),
                outcome => return outcome,
            };
            let mut retry = HOLD_RETRY;
            if let Ok(holder) = Client::connect(&runtime_dir, JoinOptions::default()).await {
                match (holder.holder(), kind) {
                    (HolderKind::App, _) | (HolderKind::Serve, HolderKind::Serve) => {
                        return Err(StartError::Held { pid, runtime_dir });
                    }
                    (HolderKind::Serve, HolderKind::App | HolderKind::Command) => {
                        // It ends even if its reply is lost. An AI client must not start another one meanwhile.
                        let _ = holder.ask(Request::Yield).await;
                        retry = JOIN_RETRY;
                    }
                    (HolderKind::Command, _) => {}
                }
            }
            if begun.elapsed() > QUIET_WAIT
                && let Some(on_wait) = on_wait.take()
            {
                on_wait(pid);
            }
            sleep(retry).await;
        }
    }

    /// Sends one request and waits for its reply.
    pub async fn ask(&self, request: Request) -> Result<Reply, AskError> {
        match self {
            Self::Held(engine) => engine.handle(request).await.map_err(AskError::Failed),
            Self::Joined(client) => client.ask(request).await,
        }
    }

    /// Returns the latest known state; `None` for a client that did not ask for events.
    pub fn snapshot(&self) -> Option<Snapshot> {
        match self {
            Self::Held(engine) => Some(engine.snapshot()),
            Self::Joined(client) => client.snapshot(),
        }
    }

    /// Returns the latest known view of one server.
    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        match self {
            Self::Held(engine) => engine.server(id),
            Self::Joined(client) => client.server(id),
        }
    }

    pub fn subscribe(&self) -> Updates {
        match self {
            Self::Held(engine) => Updates::Held(engine.subscribe()),
            Self::Joined(client) => Updates::Joined(client.subscribe()),
        }
    }
}

impl Updates {
    pub async fn next(&mut self) -> Option<Update> {
        let update = match self {
            Self::Held(events) => events.recv().await.map(|event| Update::Event(Box::new(event))),
            Self::Joined(updates) => updates.recv().await,
        };
        match update {
            Ok(update) => Some(update),
            Err(RecvError::Lagged(_)) => Some(Update::Reset),
            Err(RecvError::Closed) => None,
        }
    }
}

fn unreachable_holder(pid: Option<u32>, error: &ConnectError) -> ErrorView {
    let process = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let message = format!("Usher is already running{process}, but it does not respond.");
    ErrorView::new(Code::Internal, message, "Quit that process, then try again.")
        .with_details(error.to_string())
}
