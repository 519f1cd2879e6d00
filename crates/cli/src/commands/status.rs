//! `usher status [NAME]`: connects, and says how each server is.

use jiff::Timestamp;
use usher_api::{AuthView, ServerView};
use usher_config::display_text;

use crate::arguments::Places;
use crate::exit::Failure;
use crate::output::{Output, status_words, table};
use crate::session::{settled, trouble, with_all, with_server};

/// One server in full, with its trouble as the exit code; or a table of all, which ends with 0.
pub async fn run(places: &Places, output: Output, name: Option<&str>) -> Result<(), Failure> {
    match name {
        Some(name) => one(places, output, name).await,
        None => all(places, output).await,
    }
}

async fn one(places: &Places, output: Output, name: &str) -> Result<(), Failure> {
    with_server(places, output, name, async |engine, id| {
        let view = settled(engine, id).await?;
        output.result(&view, || sheet(&view));
        trouble(&view).map_or(Ok(()), |error| Err(error.into()))
    })
    .await
}

async fn all(places: &Places, output: Output) -> Result<(), Failure> {
    with_all(places, output, async |engine| {
        let mut views = Vec::new();
        for server in engine.snapshot()?.servers {
            views.push(settled(engine, &server.id).await?);
        }
        if let Some(error) = engine.snapshot()?.config.error {
            return Err(error.into());
        }
        output.result(&views, || {
            let rows = views.iter().map(|view| {
                let why = trouble(view).map(|error| error.message).unwrap_or_default();
                vec![view.id.to_string(), status_words(&view.status), why]
            });
            table(&["name", "state", ""], rows)
        });
        Ok(())
    })
    .await
}

/// A server's page in a few lines.
fn sheet(view: &ServerView) -> String {
    let mut rows = vec![
        ("name", display_text(&view.name, 80)),
        ("state", status_words(&view.status)),
        ("address", view.address.clone()),
    ];
    if let AuthView::OAuth { signed_in: true, issuer, account, scopes, expires_at, refreshable, .. } =
        &view.auth
    {
        rows.extend(account.clone().map(|account| ("account", account)));
        rows.extend(issuer.clone().map(|issuer| ("signed in at", issuer)));
        if !scopes.is_empty() {
            rows.push(("permissions", scopes.join(" ")));
        }
        rows.extend(expires_at.map(|at| ("access until", expiry(at, *refreshable))));
    }
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    rows.iter().map(|(label, value)| format!("{label:width$}  {value}")).collect::<Vec<_>>().join("\n")
}

fn expiry(at: Timestamp, refreshable: bool) -> String {
    let note = if refreshable { "renewed by itself" } else { "then sign in again" };
    format!("{at:.0} ({note})")
}
