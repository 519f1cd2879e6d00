//! A command's work with the engine: where things lie, the server it is about, and how that server is.

use std::path::PathBuf;
use std::time::Duration;

use usher_api::{Code, ErrorView, Request, ServerId, ServerView, Status};
use usher_config::{ConfigFile, Environment, Platform, config_path, runtime_dir, state_dir};
use usher_engine::EngineOptions;
use usher_ipc::{Client, Opening};
use usher_secrets::StoreKind;

use crate::arguments::Places;
use crate::engine::Handle;
use crate::exit::{Failure, internal, unknown_server};
use crate::output::Output;

const PAUSED: &str = "Usher is paused.";
/// How long a command waits for its servers to connect or to say why not.
const SETTLING: Duration = Duration::from_secs(45);

/// The person's `mcp.json`, from the flag, its variable or the system's folder.
pub fn config_file(places: &Places) -> ConfigFile {
    let environment = Environment::of_process();
    let path = places.config.clone().unwrap_or_else(|| config_path(&environment, Platform::current()));
    ConfigFile::new(path, environment)
}

/// What an engine of this command is given; `only` names the servers to run, all of them where it is `None`.
fn options(places: &Places, only: Option<Vec<ServerId>>) -> EngineOptions {
    let options = EngineOptions::new(
        config_file(places).path().to_owned(),
        state_folder(places),
        runtime_folder(places),
        places.secret_store.clone().unwrap_or_default(),
    );
    EngineOptions { only, ..options }
}

fn state_folder(places: &Places) -> PathBuf {
    let usual = || state_dir(&Environment::of_process(), Platform::current());
    places.state_dir.clone().unwrap_or_else(usual)
}

fn runtime_folder(places: &Places) -> PathBuf {
    let usual = || runtime_dir(&Environment::of_process(), Platform::current());
    places.runtime_dir.clone().unwrap_or_else(usual)
}

/// Works with the engine, for all servers.
pub async fn with_all<T>(
    places: &Places,
    output: Output,
    work: impl AsyncFnOnce(&Handle) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with(places, output, None, work).await
}

/// Works with the engine for one server, which must be in mcp.json.
pub async fn with_server<T>(
    places: &Places,
    output: Output,
    name: &str,
    work: impl AsyncFnOnce(&Handle, &ServerId) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let id = ServerId(name.to_owned());
    with(places, output, Some(vec![id.clone()]), async |engine| {
        if engine.server(&id).is_some() {
            return work(engine, &id).await;
        }
        Err(match engine.snapshot()?.config.error {
            Some(error) => error.into(),
            None => unknown_server(&id.0),
        })
    })
    .await
}

async fn with<T>(
    places: &Places,
    output: Output,
    only: Option<Vec<ServerId>>,
    work: impl AsyncFnOnce(&Handle) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let options = options(places, only);
    let same = usher_ipc::Places {
        config: options.config.clone(),
        state_dir: options.state_dir.clone(),
        secret_store: places.secret_store.as_ref().map(StoreKind::to_string),
    };
    let engine = Handle::open(options, same).await?;
    let outcome = work(&engine).await;
    engine
        .close(|| {
            output.note("Another `usher` command works through this one, which ends when that is done.")
        })
        .await;
    outcome
}

/// The store that a secret goes to by hand: what was said, else that of the Usher that runs, else the keychain.
pub async fn secret_store(places: &Places) -> Result<StoreKind, Failure> {
    if let Some(store) = &places.secret_store {
        return Ok(store.clone());
    }
    let Some(client) = running(places).await else { return Ok(StoreKind::default()) };
    match client.secret_store().parse() {
        Ok(StoreKind::Memory) => {
            let mut failure =
                internal("The Usher that runs keeps secrets in its memory, and takes none from outside.");
            failure.error.hint = Some("Enter it in its window.".into());
            Err(failure)
        }
        Ok(store) => Ok(store),
        Err(_) => Err(crate::engine::unexpected()),
    }
}

/// The Usher that runs, if one does.
async fn running(places: &Places) -> Option<Client> {
    let state_dir = state_folder(places);
    let config = config_file(places).path().to_owned();
    // Not one of other places, whose store is another matter.
    let same = usher_ipc::Places { config, state_dir: state_dir.clone(), secret_store: None };
    let opening = Opening { places: Some(same), ..Opening::default() };
    Client::find(&state_dir, &runtime_folder(places), opening).await.ok()
}

/// Tells the Usher that runs, if one does, that its store holds something else now.
pub async fn tell_of_secret(places: &Places, name: &str) {
    if let Some(client) = running(places).await {
        let told = client.ask(Request::SecretsChanged { name: Some(name.to_owned()) }).await;
        if let Err(error) = told {
            tracing::warn!(%error, "the running Usher was not told of the secret");
        }
    }
}

/// Waits until the server is connected or has said what it needs. The status is the engine's; after the deadline
/// it may still be `Connecting`.
pub async fn settled(engine: &Handle, id: &ServerId) -> Result<ServerView, Failure> {
    let wait = async {
        let mut updates = engine.updates();
        loop {
            match engine.server(id) {
                None => return Err(unknown_server(&id.0)),
                Some(view) if is_settled(&view.status) => return Ok(view),
                Some(_) => {}
            }
            if updates.next().await.is_none() {
                engine.follow_on().await?;
                updates = engine.updates();
            }
        }
    };
    match tokio::time::timeout(SETTLING, wait).await {
        Ok(outcome) => outcome,
        Err(_) => engine.server(id).ok_or_else(|| unknown_server(&id.0)),
    }
}

/// Waits for the server and insists that it is connected.
pub async fn connected(engine: &Handle, id: &ServerId) -> Result<ServerView, Failure> {
    let view = settled(engine, id).await?;
    match trouble(&view) {
        None => Ok(view),
        Some(error) => Err(error.into()),
    }
}
/// What keeps a server from being used, if anything.
pub fn trouble(view: &ServerView) -> Option<ErrorView> {
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
        Status::Paused => Some(error(
            Code::ServerUnreachable,
            PAUSED.into(),
            "Let it go on in its window or its tray menu.".into(),
        )),
        Status::Disabled => Some(error(
            Code::ConfigInvalid,
            format!("{} is turned off.", view.name),
            format!("usher enable {}", view.id),
        )),
        Status::Unsupported { why } => Some(error(
            Code::ConfigInvalid,
            why.clone(),
            "Only services with an http address run for now.".into(),
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
        | Status::Paused
        | Status::Unsupported { .. }
        | Status::NeedsSignIn { .. }
        | Status::SigningIn { .. }
        | Status::Connected { .. }
        | Status::Reconnecting { .. }
        | Status::Failed { .. } => true,
    }
}
