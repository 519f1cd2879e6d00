//! A command's connection to the engine. It continues when another process becomes the holder.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast::error::RecvError;
use usher_api::{ElicitationAnswer, Event, Reply, Request, ServerId, ServerView, Snapshot};
use usher_engine::{Engine, EngineOptions};
use usher_ipc::{Access, AskError, Holder, HolderKind, JoinOptions, Server, Updates};

use crate::exit::{CommandError, internal};

/// The longest wait for a holder that is ending. The holder first finishes the work of other commands.
const HANDOVER_DEADLINE: Duration = Duration::from_secs(120);
const HANDOVER_RETRY: Duration = Duration::from_millis(20);
/// The time after which a message explains why closing takes so long.
const QUIET_CLOSE: Duration = Duration::from_millis(500);

/// A connection to the engine. When the holder ends, this starts the engine or joins the next holder.
pub struct Handle {
    options: EngineOptions,
    join: JoinOptions,
    access: Mutex<Arc<Access>>,
    /// Serves other processes if this command holds the engine.
    server: Mutex<Option<Server>>,
    /// Whether this command answers the questions (elicitations) that belong to no call. It does so only during a call.
    answers_questions: Arc<AtomicBool>,
    reopening: tokio::sync::Mutex<()>,
}

impl Handle {
    /// Starts the engine, or joins the process that holds it.
    pub async fn open(options: EngineOptions, join: JoinOptions) -> Result<Self, CommandError> {
        let access = Arc::new(Access::open(&options, &join).await?);
        let handle = Self {
            options,
            join,
            access: Mutex::new(Arc::clone(&access)),
            server: Mutex::default(),
            answers_questions: Arc::default(),
            reopening: tokio::sync::Mutex::default(),
        };
        handle.serve_others(&access);
        Ok(handle)
    }

    /// Sets whether this command answers the questions that belong to no call.
    pub fn set_answers_questions(&self, answers: bool) {
        self.answers_questions.store(answers, Ordering::SeqCst);
    }

    /// Returns whether another process holds the engine.
    pub fn is_joined(&self) -> bool {
        matches!(&*self.access(), Access::Joined(_))
    }

    pub fn holder(&self) -> HolderKind {
        match &*self.access() {
            Access::Held(_) => HolderKind::Command,
            Access::Joined(client) => client.holder(),
        }
    }

    pub fn snapshot(&self) -> Result<Snapshot, CommandError> {
        self.access().snapshot().ok_or_else(unexpected_reply)
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.access().server(id)
    }

    pub fn subscribe(&self) -> Updates {
        self.access().subscribe()
    }

    /// Sends a request and waits for its reply. A request that did not start, or that may be repeated, is sent again to
    /// the next holder.
    pub async fn ask(&self, request: Request) -> Result<Reply, CommandError> {
        let begun = Instant::now();
        loop {
            let access = self.access();
            let error = match access.ask(request.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            match error {
                AskError::Failed(error) => return Err(error.into()),
                AskError::NotStarted if begun.elapsed() < HANDOVER_DEADLINE => {
                    tokio::time::sleep(HANDOVER_RETRY).await;
                }
                AskError::Ended => self.reopen_after(&access).await?,
                AskError::OutcomeUnknown if request.may_be_repeated() => self.reopen_after(&access).await?,
                AskError::NotStarted => return Err(holder_is_ending()),
                AskError::OutcomeUnknown => return Err(outcome_unknown(&request)),
            }
        }
    }

    /// Starts the engine or joins the next holder. Call this when the updates have ended.
    pub async fn reopen(&self) -> Result<(), CommandError> {
        self.reopen_after(&self.access()).await
    }

    async fn reopen_after(&self, previous: &Arc<Access>) -> Result<(), CommandError> {
        let _one_at_a_time = self.reopening.lock().await;
        if Arc::ptr_eq(&self.access(), previous) {
            let access = Arc::new(Access::open(&self.options, &self.join).await?);
            self.serve_others(&access);
            *self.lock() = access;
        }
        Ok(())
    }

    /// Lets other processes join, if this command holds the engine.
    fn serve_others(&self, access: &Access) {
        let Access::Held(engine) = access else { return };
        decline_unrelated_questions(engine, Arc::clone(&self.answers_questions));
        let server = Server::start(engine.clone(), Holder::Command).inspect_err(
            |error| tracing::warn!(%error, "could not open the socket; other commands cannot connect"),
        );
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server.ok();
    }

    /// Stops the engine if this command holds it. First waits for the work of other commands and for pending token
    /// revocations. `on_wait` is called after [`QUIET_CLOSE`]; Ctrl-C stops waiting.
    pub async fn close(self, on_wait: impl FnOnce()) {
        let access = self.access();
        let Access::Held(engine) = &*access else { return };
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            let finish = server.finish();
            tokio::pin!(finish);
            tokio::select! {
                () = &mut finish => {}
                () = tokio::time::sleep(QUIET_CLOSE) => {
                    on_wait();
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

    fn access(&self) -> Arc<Access> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Access>> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Declines the questions that belong to no call, unless this command is running a call. Without an answer, the server
/// would keep waiting.
pub fn decline_unrelated_questions(engine: &Engine, answers_questions: Arc<AtomicBool>) {
    let mut events = engine.subscribe();
    let engine = engine.clone();
    tokio::spawn(async move {
        loop {
            let question = match events.recv().await {
                Ok(Event::ElicitationRequested { elicitation, .. }) => elicitation,
                Ok(_) | Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            if !answers_questions.load(Ordering::SeqCst) {
                let outcome = engine.answer_elicitation(&question.id, ElicitationAnswer::Decline).await;
                tracing::info!(server = %question.server, ?outcome, "declined a question outside a call");
            }
        }
    });
}

fn holder_is_ending() -> CommandError {
    internal("Another `usher` command is finishing and accepts no more requests.")
        .with_hint("Try again when it has finished.")
}

fn outcome_unknown(request: &Request) -> CommandError {
    let message = match request {
        Request::CallTool { tool, .. } => {
            let tool = usher_config::display_text(tool, 80);
            format!("The Usher process that called {tool} ended. The tool may or may not have run.")
        }
        _ => "The running Usher ended. The request may or may not have been handled.".to_owned(),
    };
    internal(message).with_hint("Check the result before you try again.")
}

/// The error for a reply of the wrong kind. Both sides have the same version, so this is a bug.
pub fn unexpected_reply() -> CommandError {
    internal("Unexpected reply from the running Usher.")
}
