//! `usher login NAME`: signs in with the browser, with a code for another device, or through stdin and stdout with
//! `--no-browser`.

use std::io::IsTerminal;

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use usher_api::{
    AuthView, AuthorizationRequestView, Code, DeviceSignInView, ErrorView, Reply, Request, ServerId,
    ServerVerb, ServerView, Status,
};
use usher_ipc::HolderKind;

use crate::arguments::Login;
use crate::engine::{Handle, unexpected_reply};
use crate::exit::{CommandError, internal};
use crate::output::{Output, count, is_interactive, print_line, status_text};
use crate::paths::Paths;
use crate::qr_code;
use crate::session::{wait_until_connected, wait_until_settled, with_server};

/// Signs in to a server. Returns when its tools are listed.
pub async fn run(paths: &Paths, output: Output, login: &Login) -> Result<(), CommandError> {
    with_server(paths, output, &login.name, async |engine, id| {
        let view = tokio::select! {
            outcome = sign_in(engine, id, output, login) => outcome?,
            _ = tokio::signal::ctrl_c() => return Err(cancel(engine, id).await),
        };
        output.result(&view, || match &view.status {
            Status::Connected { tool_count, .. } => {
                format!("Signed in to {}: {}.", view.name, count(*tool_count, "tool"))
            }
            _ => format!("{} is {}.", view.name, status_text(&view)),
        });
        Ok(())
    })
    .await
}

/// Cancels the sign-in after Ctrl-C. A second Ctrl-C does not wait for the engine.
async fn cancel(engine: &Handle, id: &ServerId) -> CommandError {
    tokio::select! {
        outcome = engine.ask(Request::server(id, ServerVerb::CancelSignIn)) => {
            if let Err(error) = outcome {
                return error;
            }
        }
        _ = tokio::signal::ctrl_c() => {}
    }
    let message = format!("The sign-in to {id} was cancelled.");
    ErrorView::new(Code::AuthorizationDenied, message, format!("Run `usher login {id}` to sign in.")).into()
}

async fn sign_in(
    engine: &Handle,
    id: &ServerId,
    output: Output,
    login: &Login,
) -> Result<ServerView, CommandError> {
    // A server that lists its tools without a sign-in may still require one for a call.
    let mut open = None;
    if !login.again {
        let view = wait_until_settled(engine, id).await?;
        match (&view.status, &view.auth) {
            (Status::NeedsSignIn { .. }, _) => {}
            _ if view.is_connected_without_sign_in() => {}
            (Status::Connected { .. }, AuthView::None) => open = Some(view),
            _ => return wait_until_connected(engine, id).await,
        }
    }
    let request = Request::SignIn {
        server: id.clone(),
        redirect: None,
        receives_links: receives_links(engine.holder(), login),
        extra_scopes: Vec::new(),
        confirmed_hosts: login.confirm_host.clone(),
        on_device: login.device,
    };
    let request = match (engine.ask(request).await, open) {
        (Ok(Reply::Authorization(Some(request))), _) => request,
        (Ok(Reply::Device(device)), _) => {
            show_device(&device, output, login);
            wait_for_callback(engine, id).await?;
            return wait_until_connected(engine, id).await;
        }
        // The server connects without a person.
        (Ok(Reply::Done), _) => return wait_until_connected(engine, id).await,
        (Ok(_), _) => return Err(unexpected_reply()),
        (Err(error), _) if error.error.code == Code::EndpointsUnconfirmed => {
            return Err(with_confirmation_hint(engine, id, error));
        }
        // It offers no sign-in, so none is needed.
        (Err(_), Some(view)) => return Ok(view),
        (Err(error), _) => return Err(error),
    };
    if login.no_browser {
        print_request(&request);
    } else {
        open_browser(engine, id, output, &request).await?;
    }
    let reads_callbacks = login.no_browser || is_interactive();
    tokio::select! {
        biased;
        outcome = read_callbacks(engine, id, output), if reads_callbacks => outcome?,
        outcome = wait_for_callback(engine, id) => outcome?,
    }
    wait_until_connected(engine, id).await
}

/// Adds the command that confirms the hosts.
fn with_confirmation_hint(engine: &Handle, id: &ServerId, error: CommandError) -> CommandError {
    let endpoints = engine.server(id).and_then(|view| view.endpoints_to_confirm);
    let hosts = endpoints.map(|endpoints| endpoints.foreign).unwrap_or_default();
    let flags: String = hosts.iter().map(|host| format!(" --confirm-host {host}")).collect();
    let hint = error.error.hint.clone().unwrap_or_default();
    error.with_hint(format!("{hint} Then run `usher login {id}{flags}`."))
}

/// Returns whether this sign-in can receive a callback link, or `None` if the app that holds the engine decides.
fn receives_links(holder: HolderKind, login: &Login) -> Option<bool> {
    match holder {
        // The caller passes the callback to the standard input, so every redirect works.
        _ if login.no_browser => Some(true),
        HolderKind::App => None,
        HolderKind::Command | HolderKind::Serve => Some(has_link_handler()),
    }
}

/// Prints the authorization URL as JSON.
fn print_request(request: &AuthorizationRequestView) {
    let line = serde_json::json!({
        "authorization_url": request.authorization_url,
        "redirect_uri": request.redirect_uri,
        "expires_at": request.expires_at,
    });
    print_line(&line.to_string());
}

/// Shows the code, the page and a QR code, or prints the code and the page as JSON.
fn show_device(device: &DeviceSignInView, output: Output, login: &Login) {
    if output.json || login.no_browser {
        let line = serde_json::json!({
            "user_code": device.user_code,
            "verification_uri": device.verification_uri,
            "verification_uri_complete": device.verification_uri_complete,
            "expires_at": device.expires_at,
        });
        return print_line(&line.to_string());
    }
    output.note("On any device, open this page:");
    output.note(&format!("  {}", device.verification_uri));
    output.note("Enter this code there, and compare it if the page already shows one:");
    output.note(&format!("  {}", device.user_code));
    let address = device.verification_uri_complete.as_ref().unwrap_or(&device.verification_uri);
    if std::io::stderr().is_terminal()
        && let Some(code) = qr_code::draw(address)
    {
        output.note("Or scan this with a phone:");
        output.note(&code);
    }
    let left = device.expires_at.duration_since(Timestamp::now()).as_secs().max(0);
    output.note(&format!("Waiting until you approve the request. The code expires in {}.", minutes(left)));
}

fn minutes(seconds: i64) -> String {
    match (seconds + 30) / 60 {
        0 => "less than a minute".to_owned(),
        1 => "a minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// Opens the browser. In a terminal the callback URL can also be pasted.
async fn open_browser(
    engine: &Handle,
    id: &ServerId,
    output: Output,
    request: &AuthorizationRequestView,
) -> Result<(), CommandError> {
    match open::that_detached(&request.authorization_url) {
        Ok(()) => {
            engine.ask(Request::server(id, ServerVerb::BrowserOpened)).await?;
            output.note(&format!(
                "Waiting for you to approve the request on {} in your browser.",
                request.host
            ));
        }
        Err(_) => output.note("Could not open a browser. Open this URL yourself:"),
    }
    output.note(&format!("  {}", request.authorization_url));
    if is_interactive() {
        output.note("If the browser does not return to Usher, paste the URL of its last page here:");
    }
    Ok(())
}

/// Reads callback URLs from stdin until one completes the sign-in. If a URL does not belong to the sign-in, prints
/// an error and reads the next URL.
async fn read_callbacks(engine: &Handle, id: &ServerId, output: Output) -> Result<(), CommandError> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut last_exit_code = None;
    loop {
        let line = lines.next_line().await;
        match line.map_err(|error| internal(format!("Could not read from stdin: {error}.")))? {
            Some(line) if line.trim().is_empty() => {}
            Some(line) => {
                match engine.ask(Request::CompleteSignIn { address: line.trim().to_owned() }).await {
                    Ok(_) => return Ok(()),
                    Err(error) if is_waiting(engine, id) => {
                        output.error(&error);
                        last_exit_code = Some(error.exit_code);
                    }
                    Err(error) => return Err(error),
                }
            }
            None => {
                let mut error = CommandError::from(ErrorView::new(
                    Code::AuthorizationExpired,
                    "Stdin ended before a callback URL was read.",
                    "Write the URL of the browser's last page to stdin, as one line.",
                ));
                error.exit_code = last_exit_code.unwrap_or(error.exit_code);
                return Err(error);
            }
        }
    }
}

/// Whether the sign-in still waits for its callback.
fn is_waiting(engine: &Handle, id: &ServerId) -> bool {
    engine.server(id).is_some_and(|view| matches!(view.status, Status::SigningIn { .. }))
}

/// Waits until the sign-in succeeds or fails. The app or the loopback listener receives the callback, or the engine
/// polls.
async fn wait_for_callback(engine: &Handle, id: &ServerId) -> Result<(), CommandError> {
    let mut updates = engine.subscribe();
    loop {
        match engine.server(id).map(|view| (view.status, view.last_error)) {
            Some((Status::SigningIn { .. } | Status::Connecting, _)) => {}
            // The server may be connected with an earlier grant; the error still belongs to this sign-in.
            Some((_, Some(error))) => return Err(error.into()),
            Some((Status::Connected { .. }, None)) => return Ok(()),
            Some((_, None)) | None => return Err(internal("The sign-in ended without a result.")),
        }
        if updates.next().await.is_none() {
            return Err(internal("The Usher process that handled this sign-in has exited.")
                .with_hint(format!("Run `usher login {id}` to try again.")));
        }
    }
}

/// Returns whether the app is installed for `dev.usher.desktop:` links. It passes them to the engine's holder. Other
/// systems than Linux offer no simple way to ask.
fn has_link_handler() -> bool {
    cfg!(target_os = "linux")
        && std::process::Command::new("xdg-mime")
            .args(["query", "default", "x-scheme-handler/dev.usher.desktop"])
            .stderr(std::process::Stdio::null())
            .output()
            .is_ok_and(|output| output.status.success() && !output.stdout.trim_ascii().is_empty())
}
