//! One command's session with the engine, and the waits for a server's state.

use std::time::Duration;

use usher_api::{Code, ErrorView, Request, ServerId, ServerView, Status};
use usher_ipc::{Client, JoinOptions};
use usher_secrets::StoreKind;

use crate::engine::{Handle, unexpected_reply};
use crate::exit::{CommandError, internal, unknown_server};
use crate::output::Output;
use crate::paths::Paths;

/// How long a command waits for a server to connect or to fail.
const CONNECT_DEADLINE: Duration = Duration::from_secs(45);

/// The same for a program.
const PROGRAM_DEADLINE: Duration = Duration::from_secs(11 * 60);

/// Runs `work` with the engine and all servers.
pub async fn with_all_servers<T>(
    paths: &Paths,
    output: Output,
    work: impl AsyncFnOnce(&Handle) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    run_session(paths, output, None, work).await
}

/// Runs `work` with the engine and one server, which must be in mcp.json.
pub async fn with_server<T>(
    paths: &Paths,
    output: Output,
    name: &str,
    work: impl AsyncFnOnce(&Handle, &ServerId) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let id = ServerId(name.to_owned());
    run_session(paths, output, Some(vec![id.clone()]), async |engine| {
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

/// Runs `work` with the engine, which starts no server for it.
pub async fn without_servers<T>(
    paths: &Paths,
    output: Output,
    work: impl AsyncFnOnce(&Handle) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    run_session(paths, output, Some(Vec::new()), work).await
}

async fn run_session<T>(
    paths: &Paths,
    output: Output,
    only: Option<Vec<ServerId>>,
    work: impl AsyncFnOnce(&Handle) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let engine = Handle::open(paths.engine_options(only.clone()), paths.join_options(only)).await?;
    let outcome = work(&engine).await;
    engine.close(|| output.note("Waiting for another `usher` command that depends on this one.")).await;
    outcome
}

/// Returns the store for named secrets: the flag's store, else the running Usher's, else the keychain.
pub async fn secret_store(paths: &Paths) -> Result<StoreKind, CommandError> {
    if let Some(store) = &paths.secret_store {
        return Ok(store.clone());
    }
    let Some(client) = connect_to_running(paths).await else { return Ok(StoreKind::default()) };
    match client.secret_store().parse() {
        Ok(StoreKind::Memory) => {
            Err(internal("The running Usher stores secrets only in memory, so this command cannot use them.")
                .with_hint("Enter the secret in Usher's window."))
        }
        Ok(store) => Ok(store),
        Err(_) => Err(unexpected_reply()),
    }
}

/// Connects to the running Usher, if there is one with the same config file and state folder.
async fn connect_to_running(paths: &Paths) -> Option<Client> {
    let options = JoinOptions { paths: Some(paths.paths_ignoring_store()), ..JoinOptions::default() };
    Client::find(&paths.state_dir(), &paths.runtime_dir(), options).await.ok()
}

/// Notifies the running Usher, if there is one, that a named secret changed.
pub async fn notify_secret_changed(paths: &Paths, name: &str) {
    if let Some(client) = connect_to_running(paths).await {
        let outcome = client.ask(Request::SecretsChanged { name: Some(name.to_owned()) }).await;
        if let Err(error) = outcome {
            tracing::warn!(%error, "could not notify the running Usher of the changed secret");
        }
    }
}

/// Sends requests about the secrets. They need no servers, and the holder's secret store may be another one.
pub async fn ask_about_secrets(
    paths: &Paths,
    output: Output,
    requests: Vec<Request>,
) -> Result<(), CommandError> {
    if requests.is_empty() {
        return Ok(());
    }
    let options = paths.engine_options(Some(Vec::new()));
    let join =
        JoinOptions { paths: Some(paths.paths_ignoring_store()), ..paths.join_options(Some(Vec::new())) };
    let engine = Handle::open(options, join).await?;
    let mut outcome = Ok(());
    for request in requests {
        if let Err(error) = engine.ask(request).await {
            outcome = Err(error);
            break;
        }
    }
    engine.close(|| output.note("Waiting for another `usher` command that depends on this one.")).await;
    outcome
}

/// A program may first have to be downloaded. The engine has its own deadline for it.
fn connect_deadline(view: &ServerView) -> Duration {
    if view.program.is_some() { PROGRAM_DEADLINE } else { CONNECT_DEADLINE }
}

/// Waits until the server is no longer connecting, or until the deadline. Returns its view.
pub async fn wait_until_settled(engine: &Handle, id: &ServerId) -> Result<ServerView, CommandError> {
    wait_until_settled_or(engine, id, |_| false).await
}

/// Also stops to wait when `is_enough` accepts the view.
pub async fn wait_until_settled_or(
    engine: &Handle,
    id: &ServerId,
    is_enough: impl Fn(&ServerView) -> bool,
) -> Result<ServerView, CommandError> {
    let wait = async {
        let mut updates = engine.subscribe();
        loop {
            match engine.server(id) {
                None => return Err(unknown_server(&id.0)),
                Some(view) if view.status != Status::Connecting || is_enough(&view) => return Ok(view),
                Some(_) => {}
            }
            if updates.next().await.is_none() {
                engine.reopen().await?;
                updates = engine.subscribe();
            }
        }
    };
    let deadline = engine.server(id).as_ref().map_or(CONNECT_DEADLINE, connect_deadline);
    match tokio::time::timeout(deadline, wait).await {
        Ok(outcome) => outcome,
        Err(_) => engine.server(id).ok_or_else(|| unknown_server(&id.0)),
    }
}

/// Waits until the server is connected. Any other state is an error.
pub async fn wait_until_connected(engine: &Handle, id: &ServerId) -> Result<ServerView, CommandError> {
    let view = wait_until_settled(engine, id).await?;
    match blocking_error(&view) {
        None => Ok(view),
        Some(error) => Err(error.into()),
    }
}

/// Returns the error that makes the server unusable; `None` if the server is connected.
pub fn blocking_error(view: &ServerView) -> Option<ErrorView> {
    let id = &view.id;
    match &view.status {
        Status::Connected { .. } => None,
        Status::NeedsSignIn { .. } => Some(view.last_error.clone().unwrap_or_else(|| {
            ErrorView::new(
                Code::SignInRequired,
                format!("{} needs you to sign in.", view.name),
                format!("Run `usher login {id}`."),
            )
        })),
        Status::Failed { error } | Status::Reconnecting { why: error, .. } => Some(error.clone()),
        Status::Paused => Some(ErrorView::new(
            Code::ServerUnreachable,
            "Usher is paused.",
            "Resume it in Usher's window or tray menu.",
        )),
        Status::Disabled => Some(ErrorView::new(
            Code::ConfigInvalid,
            format!("{} is disabled.", view.name),
            format!("Run `usher enable {id}`."),
        )),
        Status::SigningIn { device: Some(device), .. } => Some(ErrorView::new(
            Code::SignInRequired,
            format!("The sign-in to {} is waiting for another device.", view.name),
            format!("Enter {} at {}.", device.user_code, device.verification_uri),
        )),
        Status::Connecting | Status::SigningIn { .. } => Some(view.last_error.clone().unwrap_or_else(|| {
            let seconds = connect_deadline(view).as_secs();
            ErrorView::new(
                Code::ServerUnreachable,
                format!("{} did not respond within {seconds} seconds.", view.name),
                "Try again later.",
            )
        })),
    }
}
