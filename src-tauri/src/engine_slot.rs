//! The engine, which starts after the window and may fail to start.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use usher_api::ErrorView;
use usher_engine::{Engine, EngineOptions};
use usher_ipc::{Access, Holder, HolderKind, Server};

use crate::error;

/// The engine, once it is running. The page's commands wait for it.
pub struct EngineSlot {
    state: watch::Sender<State>,
    /// The socket for other processes.
    server: Mutex<Option<Server>>,
}

#[derive(Clone)]
enum State {
    Starting,
    /// An `usher` command is running the engine. The app starts its own when the command ends.
    Waiting(ErrorView),
    Running(Engine),
    Failed(ErrorView),
}

impl EngineSlot {
    pub fn new() -> Self {
        Self { state: watch::Sender::new(State::Starting), server: Mutex::default() }
    }

    /// Waits while the engine is starting. Returns an error if the start failed or a command is running the engine.
    pub async fn get(&self) -> Result<Engine, ErrorView> {
        let mut states = self.state.subscribe();
        let settled = states.wait_for(|state| !matches!(state, State::Starting)).await;
        match settled.as_deref() {
            Ok(State::Running(engine)) => Ok(engine.clone()),
            Ok(State::Waiting(error) | State::Failed(error)) => Err(error.clone()),
            Ok(State::Starting) | Err(_) => Err(error::rejected("Usher is quitting.")),
        }
    }

    /// Returns the reason why the engine is not running; `None` while it is starting or running.
    pub fn start_error(&self) -> Option<ErrorView> {
        match &*self.state.borrow() {
            State::Waiting(error) | State::Failed(error) => Some(error.clone()),
            State::Starting | State::Running(_) => None,
        }
    }

    pub fn running(&self) -> Option<Engine> {
        match &*self.state.borrow() {
            State::Running(engine) => Some(engine.clone()),
            State::Starting | State::Waiting(_) | State::Failed(_) => None,
        }
    }

    /// Lets callers wait again after a failed start. Returns `false` if the last start did not fail.
    pub fn reset_failure(&self) -> bool {
        self.state.send_if_modified(|state| {
            let failed = matches!(state, State::Failed(_));
            if failed {
                *state = State::Starting;
            }
            failed
        })
    }

    /// Starts the engine and its socket, and wakes the callers of [`EngineSlot::get`]. If a command is running the
    /// engine, waits until the command ends, and calls `on_command_running` if the wait is long.
    pub async fn start(
        &self,
        options: EngineOptions,
        show_window: impl Fn() + Send + Sync + 'static,
        on_command_running: impl Fn(),
    ) -> Result<Engine, ErrorView> {
        let started = Access::hold(&options, HolderKind::App, |pid| {
            self.state.send_replace(State::Waiting(error::command_running(pid)));
            on_command_running();
        })
        .await
        .map_err(error::not_started);
        if let Ok(engine) = &started {
            let holder = Holder::App { show_window: Box::new(show_window) };
            let server = Server::start(engine.clone(), holder)
                .inspect_err(|error| tracing::warn!(%error, "could not open the socket for other processes"));
            *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server.ok();
        }
        self.state.send_replace(match &started {
            Ok(engine) => State::Running(engine.clone()),
            Err(error) => State::Failed(error.clone()),
        });
        started
    }

    /// Closes the socket, then stops the engine.
    pub async fn stop(&self) {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(engine) = self.running() {
            engine.stop().await;
        }
    }
}
