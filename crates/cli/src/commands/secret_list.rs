//! `usher secret list`: the named secrets, the entries that use them, and the services that may get them.

use jiff::tz::TimeZone;
use usher_api::{Reply, Request, SecretState, SecretUseView, SecretView, SecretsView};
use usher_config::display_text;

use crate::engine::unexpected_reply;
use crate::exit::CommandError;
use crate::output::{Output, table};
use crate::paths::Paths;
use crate::session::without_servers;

pub async fn run(paths: &Paths, output: Output) -> Result<(), CommandError> {
    let reply = without_servers(paths, output, async |engine| engine.ask(Request::Secrets).await).await?;
    let Reply::Secrets(list) = reply else { return Err(unexpected_reply()) };
    let SecretsView { secrets, unknown_entries, config_error } = list;
    if let Some(error) = config_error {
        output.warn(
            &format!("It is unknown which secrets are used. {}", error.message),
            error.hint.as_deref().unwrap_or("Run `usher config check`."),
        );
    }
    for entry in unknown_entries {
        output.warn(
            &format!("The entry of {entry} in mcp.json has an error, so its secrets are not listed."),
            "Run `usher config check`.",
        );
    }
    output.result(&secrets, || {
        if secrets.is_empty() {
            return "No named secrets.".into();
        }
        table(&["name", "state", "used by", "allowed for", "last used"], secrets.iter().map(row))
    });
    Ok(())
}

fn row(secret: &SecretView) -> Vec<String> {
    let state = match secret.state {
        SecretState::Stored => "stored",
        SecretState::Missing => "missing",
        SecretState::Variable => "variable",
    };
    let uses = match secret.uses.as_slice() {
        [] => "not used".to_owned(),
        uses => uses.iter().map(use_text).collect::<Vec<_>>().join(", "),
    };
    let origins = match secret.origins.as_slice() {
        [] => "–".to_owned(),
        origins => origins.join(", "),
    };
    vec![
        display_text(&secret.name, 80),
        state.to_owned(),
        display_text(&uses, 300),
        display_text(&origins, 300),
        last_use(secret),
    ]
}

/// Formats a use like `notes (headers.X-Key)`.
fn use_text(one: &SecretUseView) -> String {
    let off = if one.is_disabled { ", disabled" } else { "" };
    format!("{} ({}{off})", one.server, one.setting.join("."))
}

fn last_use(secret: &SecretView) -> String {
    match (secret.state, secret.last_used) {
        (SecretState::Missing | SecretState::Variable, _) => "–".to_owned(),
        (SecretState::Stored, _) if secret.in_use => "in use now".to_owned(),
        (SecretState::Stored, Some(at)) => {
            at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
        }
        (SecretState::Stored, None) => "never".to_owned(),
    }
}
