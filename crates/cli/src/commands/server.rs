//! The commands whose only argument is a server: `usher enable|disable|logout|forget|remove NAME`.
//!
//! To add such a command, add a variant to [`ServerCommand`] and an arm to [`run`]. No other file changes.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use usher_api::{Code, Request, ServerId, ServerVerb};
use usher_config::display_text;

use crate::engine::Handle;
use crate::exit::{CommandError, USAGE_ERROR};
use crate::output::Output;
use crate::paths::Paths;
use crate::session::{with_server, without_servers};

#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Sign out of a server and remove it from mcp.json
    Remove(ServerName),
    /// Enable a server
    Enable(ServerName),
    /// Disable a server, but keep it in mcp.json
    Disable(ServerName),
    /// Sign out of a server and delete its tokens, also if it was removed from mcp.json by hand
    Logout(ServerName),
    /// Forget a server's metadata, client registration and redirect, but stay signed in
    Forget(ServerName),
}

#[derive(Debug, Args)]
pub struct ServerName {
    /// Name of the server in mcp.json
    pub name: String,
}

pub async fn run(paths: &Paths, output: Output, command: &ServerCommand) -> Result<(), CommandError> {
    let send = async |name: &str, verb| {
        with_server(paths, output, name, async |engine, id| engine.ask(Request::server(id, verb)).await).await
    };
    let (name, result, text): (&str, Value, &str) = match command {
        ServerCommand::Remove(ServerName { name }) => {
            send(name, ServerVerb::Remove).await?;
            (name, json!({ "removed": name }), "Removed")
        }
        ServerCommand::Enable(ServerName { name }) => {
            // Editing the file needs no engine. A running engine notices the change.
            paths.config_file().set_disabled(name, false)?;
            (name, json!({ "name": name, "enabled": true }), "Enabled")
        }
        ServerCommand::Disable(ServerName { name }) => {
            paths.config_file().set_disabled(name, true)?;
            (name, json!({ "name": name, "enabled": false }), "Disabled")
        }
        ServerCommand::Logout(ServerName { name }) => {
            sign_out(paths, output, name).await?;
            (name, json!({ "signed_out": name }), "Signed out of")
        }
        ServerCommand::Forget(ServerName { name }) => {
            send(name, ServerVerb::Forget).await?;
            (name, json!({ "forgotten": name }), "Forgot the metadata, client registration and redirect of")
        }
    };
    output.result(&result, || format!("{text} {}.", display_text(name, 80)));
    Ok(())
}

/// Signs out of a server. If its entry was removed from mcp.json by hand, revokes and deletes the grant that is left.
async fn sign_out(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    let sign_out = async |engine: &Handle, id: &ServerId| {
        engine.ask(Request::server(id, ServerVerb::SignOut)).await.map(drop)
    };
    let unknown = match with_server(paths, output, name, sign_out).await {
        Err(error) if error.exit_code == USAGE_ERROR => error,
        outcome => return outcome,
    };
    let remove = Request::RemoveOrphan { server: ServerId(name.to_owned()) };
    let removed = without_servers(paths, output, async |engine| engine.ask(remove).await.map(drop)).await;
    // The name is unknown, unless a grant was left.
    removed.map_err(|error| if error.error.code == Code::ConfigInvalid { unknown } else { error })
}
