//! The place of the engine, which comes a moment after the window, or does not.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use usher_api::ErrorView;
use usher_engine::{Engine, EngineOptions};
use usher_ipc::{Access, Holder, Server};

use crate::error;

/// Holds the engine once it runs. The commands wait here.
pub struct EngineSlot {
    state: watch::Sender<State>,
    /// Other processes reach the engine through this.
    server: Mutex<Option<Server>>,
}

#[derive(Clone)]
enum State {
    Starting,
    /// A command has the engine; it is taken over by itself when that ends.
    Waiting(ErrorView),
    Running(Engine),
    Failed(ErrorView),
}

impl EngineSlot {
    pub fn new() -> Self {
        Self { state: watch::Sender::new(State::Starting), server: Mutex::default() }
    }

    /// The engine, as soon as it runs; or why it does not.
    pub async fn get(&self) -> Result<Engine, ErrorView> {
        let mut states = self.state.subscribe();
        let settled = states.wait_for(|state| !matches!(state, State::Starting)).await;
        match settled.as_deref() {
            Ok(State::Running(engine)) => Ok(engine.clone()),
            Ok(State::Waiting(error) | State::Failed(error)) => Err(error.clone()),
            Ok(State::Starting) | Err(_) => Err(error::refused("Usher is ending.")),
        }
    }

    /// Why the engine is not running; `None` while it starts and while it runs.
    pub fn start_error(&self) -> Option<ErrorView> {
        match &*self.state.borrow() {
            State::Waiting(error) | State::Failed(error) => Some(error.clone()),
            State::Starting | State::Running(_) => None,
        }
    }

    /// The engine, if it runs now.
    pub fn running(&self) -> Option<Engine> {
        match &*self.state.borrow() {
            State::Running(engine) => Some(engine.clone()),
            State::Starting | State::Waiting(_) | State::Failed(_) => None,
        }
    }

    /// After a failure: whoever asks waits again. `false` where there is nothing to start again.
    pub fn begin_again(&self) -> bool {
        self.state.send_if_modified(|state| {
            let failed = matches!(state, State::Failed(_));
            if failed {
                *state = State::Starting;
            }
            failed
        })
    }

    /// Starts the engine, tells everybody who waits, and lets other processes in; they may ask for the window. Where
    /// a command has the engine, it is waited for, and that is told once it takes long.
    pub async fn start(
        &self,
        options: EngineOptions,
        show_window: impl Fn() + Send + Sync + 'static,
        tell_of_command: impl Fn(),
    ) -> Result<Engine, ErrorView> {
        let started = Access::hold(&options, |pid| {
            self.state.send_replace(State::Waiting(error::command_runs(pid)));
            tell_of_command();
        })
        .await
        .map_err(error::not_started);
        if let Ok(engine) = &started {
            let holder = Holder::App { show_window: Box::new(show_window) };
            let server = Server::start(engine.clone(), holder)
                .inspect_err(|error| tracing::warn!(%error, "other processes cannot reach this Usher"));
            *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server.ok();
        }
        self.state.send_replace(match &started {
            Ok(engine) => State::Running(engine.clone()),
            Err(error) => State::Failed(error.clone()),
        });
        started
    }

    /// Lets nobody in any more, then ends the engine.
    pub async fn stop(&self) {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(engine) = self.running() {
            engine.stop().await;
        }
    }
}
