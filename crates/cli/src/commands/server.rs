//! The commands whose only argument is a server: `usher enable|disable|logout|forget|remove NAME`.
//!
//! To add such a command, add a variant to [`ServerCommand`] and an arm to [`run`]. No other file changes.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use usher_api::{Request, ServerVerb};
use usher_config::display_text;

use crate::exit::CommandError;
use crate::output::Output;
use crate::paths::Paths;
use crate::session::with_server;

#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Sign out of a server and remove it from mcp.json
    Remove(ServerName),
    /// Enable a server
    Enable(ServerName),
    /// Disable a server, but keep it in mcp.json
    Disable(ServerName),
    /// Sign out of a server and delete its tokens
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
            send(name, ServerVerb::SignOut).await?;
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
