//! The engine inside this command: opened for the servers at hand, closed at the end.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use usher_config::{ConfigFile, Environment, Platform, config_path, runtime_dir, state_dir};
use usher_engine::{Engine, EngineOptions, ServerId, ServerView, StartError, Status};

use crate::arguments::Places;
use crate::exit::{Failure, internal, unknown_server};

/// How long a command waits for its servers to connect or to say why not.
const SETTLING: Duration = Duration::from_secs(45);

/// The person's `mcp.json`, from the flag, its variable or the system's folder.
pub fn config_file(places: &Places) -> ConfigFile {
    let environment = Environment::of_process();
    let path = places.config.clone().unwrap_or_else(|| config_path(&environment, Platform::current()));
    ConfigFile::new(path, environment)
}

/// What an engine of this command is given; `only` names the servers to run, all of them where it is `None`.
pub fn options(places: &Places, only: Option<Vec<ServerId>>) -> EngineOptions {
    let environment = Environment::of_process();
    let platform = Platform::current();
    let options = EngineOptions::new(
        config_file(places).path().to_owned(),
        places.state_dir.clone().unwrap_or_else(|| state_dir(&environment, platform)),
        places.runtime_dir.clone().unwrap_or_else(|| runtime_dir(&environment, platform)),
        places.secret_store.clone(),
    );
    EngineOptions { only, ..options }
}

/// Opens an engine that runs only `server`.
pub async fn open_for(places: &Places, server: &str) -> Result<(Engine, ServerId), Failure> {
    let id = ServerId(server.to_owned());
    open_one(options(places, Some(vec![id.clone()])), id).await
}

/// Opens an engine of these options for one server, which must be in mcp.json.
pub async fn open_one(options: EngineOptions, id: ServerId) -> Result<(Engine, ServerId), Failure> {
    let engine = open(options).await?;
    if engine.server(&id).is_some() {
        return Ok((engine, id));
    }
    let failure = match engine.snapshot().config.error {
        Some(error) => error.into(),
        None => unknown_server(&id.0),
    };
    engine.stop().await;
    Err(failure)
}

/// Opens an engine, or says that another one holds the sign-ins.
pub async fn open(options: EngineOptions) -> Result<Engine, Failure> {
    Engine::start(options).await.map_err(|error| match error {
        StartError::Held { pid } => {
            let holder = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            let mut failure =
                internal(format!("Usher is already running{holder}, and only one may hold the sign-ins."));
            failure.error.hint = Some("Use its window, or quit it and try again.".into());
            failure
        }
        StartError::Failed(error) => error.into(),
    })
}

/// Waits until the server is connected or has said what it needs. The status is the engine's; after the deadline
/// it may still be `Connecting`.
pub async fn settled(engine: &Engine, id: &ServerId) -> Result<ServerView, Failure> {
    let mut events = engine.subscribe();
    let wait = async {
        loop {
            match engine.server(id) {
                None => return Err(unknown_server(&id.0)),
                Some(view) if is_settled(&view.status) => return Ok(view),
                Some(_) => {}
            }
            // A reader that lagged looks at the newest view all the same.
            if let Err(RecvError::Closed) = events.recv().await {
                return Err(internal("The engine ended."));
            }
        }
    };
    match tokio::time::timeout(SETTLING, wait).await {
        Ok(outcome) => outcome,
        Err(_) => engine.server(id).ok_or_else(|| unknown_server(&id.0)),
    }
}

/// Waits for the server and insists that it is connected.
pub async fn connected(engine: &Engine, id: &ServerId) -> Result<ServerView, Failure> {
    let view = settled(engine, id).await?;
    match trouble(&view) {
        None => Ok(view),
        Some(error) => Err(error.into()),
    }
}

/// What keeps a server from being used, if anything.
pub fn trouble(view: &ServerView) -> Option<usher_engine::ErrorView> {
    use usher_engine::{Code, ErrorView};
    let error =
        |code, message: String, hint: String| ErrorView { code, message, hint: Some(hint), details: None };
    match &view.status {
        Status::Connected { .. } => None,
        Status::NeedsSignIn { .. } => Some(view.last_error.clone().unwrap_or_else(|| {
            error(
                Code::SignInRequired,
                format!("{} needs you to sign in.", view.name),
                format!("usher login {}", view.id),
            )
        })),
        Status::Failed { error } | Status::Reconnecting { why: error, .. } => Some(error.clone()),
        Status::Disabled => Some(error(
            Code::ConfigInvalid,
            format!("{} is switched off.", view.name),
            format!("usher enable {}", view.id),
        )),
        Status::Unsupported { why } => Some(error(
            Code::ConfigInvalid,
            why.clone(),
            "Only servers with an http address run for now.".into(),
        )),
        Status::Connecting | Status::SigningIn { .. } => Some(view.last_error.clone().unwrap_or_else(|| {
            error(
                Code::ServerUnreachable,
                format!("{} has not answered for {} seconds.", view.name, SETTLING.as_secs()),
                "Try again later.".into(),
            )
        })),
    }
}

fn is_settled(status: &Status) -> bool {
    match status {
        Status::Connecting => false,
        Status::Disabled
        | Status::Unsupported { .. }
        | Status::NeedsSignIn { .. }
        | Status::SigningIn { .. }
        | Status::Connected { .. }
        | Status::Reconnecting { .. }
        | Status::Failed { .. } => true,
    }
}
