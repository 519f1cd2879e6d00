//! `usher login NAME`: in the browser, or by hand with `--no-browser`.

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use usher_api::{
    AuthorizationRequestView, Code, ErrorView, Reply, Request, ServerId, ServerVerb, ServerView, Status,
};
use usher_ipc::HolderKind;

use crate::arguments::{Login, Places};
use crate::engine::{Handle, unexpected};
use crate::exit::{Failure, internal};
use crate::output::{Output, count, is_interactive, print_line};
use crate::session::{connected, settled, with_server};

/// Signs in to one server and ends when its tools are listed.
pub async fn run(places: &Places, output: Output, login: &Login) -> Result<(), Failure> {
    with_server(places, output, &login.name, async |engine, id| {
        let view = tokio::select! {
            outcome = sign_in(engine, id, output, login) => outcome?,
            _ = tokio::signal::ctrl_c() => return Err(stopped(engine, id).await),
        };
        output.result(&view, || match &view.status {
            Status::Connected { tool_count, .. } => {
                format!("Signed in to {}: {}.", view.name, count(*tool_count, "tool"))
            }
            _ => format!("{} is {}.", view.name, crate::output::status_words(&view.status)),
        });
        Ok(())
    })
    .await
}

/// After Ctrl-C: gives the sign-in up, wherever it is. Who presses again does not wait for that.
async fn stopped(engine: &Handle, id: &ServerId) -> Failure {
    tokio::select! {
        outcome = engine.ask(Request::server(id, ServerVerb::CancelSignIn)) => {
            if let Err(failure) = outcome {
                return failure;
            }
        }
        _ = tokio::signal::ctrl_c() => {}
    }
    ErrorView {
        code: Code::AuthorizationDenied,
        message: format!("You stopped the sign-in to {id}."),
        hint: Some(format!("usher login {id}")),
        details: None,
    }
    .into()
}

async fn sign_in(
    engine: &Handle,
    id: &ServerId,
    output: Output,
    login: &Login,
) -> Result<ServerView, Failure> {
    if !login.again {
        let view = settled(engine, id).await?;
        match &view.status {
            Status::Connected { .. } => return Ok(view),
            Status::NeedsSignIn { .. } => {}
            Status::Disabled
            | Status::Paused
            | Status::Unsupported { .. }
            | Status::Connecting
            | Status::SigningIn { .. }
            | Status::Reconnecting { .. }
            | Status::Failed { .. } => return connected(engine, id).await,
        }
    }
    let request = Request::SignIn {
        server: id.clone(),
        redirect: None,
        receives_links: receives_links(engine.holder(), login),
        extra_scopes: Vec::new(),
    };
    let Reply::Authorization(Some(request)) = engine.ask(request).await? else { return Err(unexpected()) };
    if login.no_browser {
        by_hand(engine, id, output, &request).await?;
    } else {
        in_browser(engine, id, output, &request).await?;
    }
    connected(engine, id).await
}

/// The app knows whether links come to it; a command asks the system.
fn receives_links(holder: HolderKind, login: &Login) -> Option<bool> {
    match holder {
        _ if login.no_browser => Some(true),
        HolderKind::App => None,
        HolderKind::Command => Some(has_link_handler()),
    }
}

/// Prints the address for a program, and reads addresses until one completes the sign-in.
async fn by_hand(
    engine: &Handle,
    id: &ServerId,
    output: Output,
    request: &AuthorizationRequestView,
) -> Result<(), Failure> {
    let line = serde_json::json!({
        "authorization_url": request.authorization_url,
        "redirect_uri": request.redirect_uri,
        "expires_at": request.expires_at,
    });
    print_line(&line.to_string());
    tokio::select! {
        biased;
        outcome = read_addresses(engine, id, output) => outcome,
        outcome = came_back(engine, id) => outcome,
    }
}

/// Opens the browser and waits for the link; on a terminal a pasted address will do as well.
async fn in_browser(
    engine: &Handle,
    id: &ServerId,
    output: Output,
    request: &AuthorizationRequestView,
) -> Result<(), Failure> {
    match open::that_detached(&request.authorization_url) {
        Ok(()) => {
            engine.ask(Request::server(id, ServerVerb::BrowserOpened)).await?;
            output.note(&format!("Waiting for your browser: {} asks whether you agree.", request.host));
        }
        Err(_) => output.note("No browser could be opened. Open this address yourself:"),
    }
    output.note(&format!("  {}", request.authorization_url));
    if !is_interactive() {
        return came_back(engine, id).await;
    }
    output.note("If the browser does not lead back here, paste the address it ends at:");
    tokio::select! {
        biased;
        outcome = read_addresses(engine, id, output) => outcome,
        outcome = came_back(engine, id) => outcome,
    }
}

/// Reads addresses from standard input until one is the answer. A foreign one is refused and the next one read: the
/// sign-in still waits.
async fn read_addresses(engine: &Handle, id: &ServerId, output: Output) -> Result<(), Failure> {
    let mut lines: Lines<BufReader<Stdin>> = BufReader::new(tokio::io::stdin()).lines();
    let mut refused_with = None;
    loop {
        let line = lines.next_line().await;
        match line.map_err(|error| internal(format!("Cannot read standard input: {error}.")))? {
            Some(line) if line.trim().is_empty() => {}
            Some(line) => {
                match engine.ask(Request::CompleteSignIn { address: line.trim().to_owned() }).await {
                    Ok(_) => return Ok(()),
                    Err(failure) if is_waiting(engine, id) => {
                        output.complain(&failure);
                        refused_with = Some(failure.exit_code);
                    }
                    Err(failure) => return Err(failure),
                }
            }
            None => {
                let mut failure = Failure::from(ErrorView {
                    code: Code::AuthorizationExpired,
                    message: "Standard input ended before the address of the callback came.".into(),
                    hint: Some(
                        "Write the address that the browser ends at to standard input, as one line.".into(),
                    ),
                    details: None,
                });
                failure.exit_code = refused_with.unwrap_or(failure.exit_code);
                return Err(failure);
            }
        }
    }
}

/// Whether the sign-in still waits for its answer.
fn is_waiting(engine: &Handle, id: &ServerId) -> bool {
    engine.server(id).is_some_and(|view| matches!(view.status, Status::SigningIn { .. }))
}

/// Ends when the answer came by the link or the loopback listener, or the sign-in gave up.
async fn came_back(engine: &Handle, id: &ServerId) -> Result<(), Failure> {
    let mut updates = engine.updates();
    loop {
        match engine.server(id).map(|view| (view.status, view.last_error)) {
            Some((Status::SigningIn { .. } | Status::Connecting, _)) => {}
            // A sign-in that failed over an older one which still works: connected, with the error beside it.
            Some((_, Some(error))) => return Err(error.into()),
            Some((Status::Connected { .. }, None)) => return Ok(()),
            Some((_, None)) | None => return Err(internal("The sign-in ended without an answer.")),
        }
        if updates.next().await.is_none() {
            let mut failure = internal("The Usher that waited for your browser has ended.");
            failure.error.hint = Some(format!("usher login {id}"));
            return Err(failure);
        }
    }
}

/// Whether this system hands `dev.usher.desktop:` to the app, which passes it on to whoever holds the engine.
fn has_link_handler() -> bool {
    cfg!(target_os = "linux")
        && std::process::Command::new("xdg-mime")
            .args(["query", "default", "x-scheme-handler/dev.usher.desktop"])
            .stderr(std::process::Stdio::null())
            .output()
            .is_ok_and(|answer| answer.status.success() && !answer.stdout.trim_ascii().is_empty())
}
