//! The place of the engine, which comes a moment after the window, or does not.

use tokio::sync::watch;
use usher_engine::{Engine, EngineOptions, ErrorView};

use crate::error;

/// Holds the engine once it runs. The commands wait here.
pub struct EngineSlot(watch::Sender<State>);

#[derive(Clone)]
enum State {
    Starting,
    Running(Engine),
    Failed(ErrorView),
}

impl EngineSlot {
    pub fn new() -> Self {
        Self(watch::Sender::new(State::Starting))
    }

    /// The engine, as soon as it runs; or why it does not.
    pub async fn get(&self) -> Result<Engine, ErrorView> {
        let mut states = self.0.subscribe();
        let settled = states.wait_for(|state| !matches!(state, State::Starting)).await;
        match settled.as_deref() {
            Ok(State::Running(engine)) => Ok(engine.clone()),
            Ok(State::Failed(error)) => Err(error.clone()),
            Ok(State::Starting) | Err(_) => Err(error::refused("Usher is ending.")),
        }
    }

    /// Why the engine is not running; `None` while it starts and while it runs.
    pub fn start_error(&self) -> Option<ErrorView> {
        match &*self.0.borrow() {
            State::Failed(error) => Some(error.clone()),
            State::Starting | State::Running(_) => None,
        }
    }

    /// The engine, if it runs now.
    pub fn running(&self) -> Option<Engine> {
        match &*self.0.borrow() {
            State::Running(engine) => Some(engine.clone()),
            State::Starting | State::Failed(_) => None,
        }
    }

    /// After a failure: whoever asks waits again. `false` where there is nothing to start again.
    pub fn begin_again(&self) -> bool {
        self.0.send_if_modified(|state| {
            let failed = matches!(state, State::Failed(_));
            if failed {
                *state = State::Starting;
            }
            failed
        })
    }

    /// Starts the engine and tells everybody who waits.
    pub async fn start(&self, options: EngineOptions) -> Result<Engine, ErrorView> {
        let started = Engine::start(options).await.map_err(error::not_started);
        self.0.send_replace(match &started {
            Ok(engine) => State::Running(engine.clone()),
            Err(error) => State::Failed(error.clone()),
        });
        started
    }
}
