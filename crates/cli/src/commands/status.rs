//! `usher status [NAME]`: connects to the servers and shows their states.

use jiff::Timestamp;
use serde::Serialize;
use usher_api::{AuthView, OrphanView, Reply, Request, ServerView};
use usher_config::display_text;

use crate::engine::Handle;
use crate::exit::CommandError;
use crate::output::{Output, status_text, table};
use crate::paths::Paths;
use crate::session::{blocking_error, wait_until_settled, with_all_servers, with_server};

/// The JSON result without a name.
#[derive(Serialize)]
struct AllServers<'a> {
    servers: &'a [ServerView],
    /// The sign-ins whose servers are not in mcp.json; `None` if the secret store cannot be read.
    orphans: Option<&'a [OrphanView]>,
}

/// Shows one server in detail and returns its error, if any. Without a name, shows a table of all servers.
pub async fn run(paths: &Paths, output: Output, name: Option<&str>) -> Result<(), CommandError> {
    match name {
        Some(name) => show_one(paths, output, name).await,
        None => show_all(paths, output).await,
    }
}

async fn show_one(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    with_server(paths, output, name, async |engine, id| {
        let view = wait_until_settled(engine, id).await?;
        output.result(&view, || details(&view));
        blocking_error(&view).map_or(Ok(()), |error| Err(error.into()))
    })
    .await
}

async fn show_all(paths: &Paths, output: Output) -> Result<(), CommandError> {
    with_all_servers(paths, output, async |engine| {
        let mut views = Vec::new();
        for server in engine.snapshot()?.servers {
            views.push(wait_until_settled(engine, &server.id).await?);
        }
        if let Some(error) = engine.snapshot()?.config.error {
            return Err(error.into());
        }
        let orphans = orphans(engine).await;
        output.result(&AllServers { servers: &views, orphans: orphans.as_deref() }, || {
            let rows = views.iter().map(|view| {
                let error = blocking_error(view).map(|error| error.message).unwrap_or_default();
                vec![display_text(&view.id.0, 80), status_text(view), error]
            });
            table(&["name", "state", ""], rows)
        });
        note_orphans(output, orphans.unwrap_or_default());
        Ok(())
    })
    .await
}

/// Returns the sign-ins that are left of removed entries. An error of the secret store is shown with the servers.
async fn orphans(engine: &Handle) -> Option<Vec<OrphanView>> {
    match engine.ask(Request::Orphans).await {
        Ok(Reply::Orphans(orphans)) => Some(orphans),
        Ok(_) | Err(_) => None,
    }
}

fn note_orphans(output: Output, orphans: Vec<OrphanView>) {
    for OrphanView { name, host, .. } in orphans {
        let host = host.map(|host| format!(" ({host})")).unwrap_or_default();
        output.note(&format!(
            "{name}{host} is not in mcp.json, but you are still signed in. Run `usher logout {name}` to sign out."
        ));
    }
}

fn details(view: &ServerView) -> String {
    let mut rows = vec![("name", display_text(&view.name, 80)), ("state", status_text(view))];
    if !view.address.is_empty() {
        rows.push(("address", view.address.clone()));
    }
    if let AuthView::OAuth { signed_in: true, issuer, account, scopes, expires_at, refreshable, .. } =
        &view.auth
    {
        rows.extend(account.clone().map(|account| ("account", account)));
        rows.extend(issuer.clone().map(|issuer| ("issuer", issuer)));
        if !scopes.is_empty() {
            rows.push(("permissions", scopes.join(" ")));
        }
        rows.extend(expires_at.map(|at| ("expires", expiry(at, *refreshable))));
    }
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    rows.iter().map(|(label, value)| format!("{label:width$}  {value}")).collect::<Vec<_>>().join("\n")
}

fn expiry(at: Timestamp, refreshable: bool) -> String {
    let note = if refreshable { "refreshed automatically" } else { "then sign in again" };
    format!("{at:.0} ({note})")
}
