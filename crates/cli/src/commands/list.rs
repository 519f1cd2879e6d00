//! `usher list`: lists the servers in mcp.json, without connecting to them.

use serde::Serialize;
use usher_config::{BrokenServer, Entry, ServerConfig, Transport, display_text};

use crate::exit::CommandError;
use crate::output::{Output, table};
use crate::paths::Paths;

#[derive(Serialize)]
struct Row {
    name: String,
    transport: &'static str,
    address: String,
    enabled: bool,
    /// The first error of the entry, with its position.
    error: Option<String>,
}

impl Row {
    fn of_server(server: &ServerConfig) -> Self {
        let (transport, address) = match &server.transport {
            Transport::Http { url, .. } => ("http", url.to_string()),
            Transport::Sse { url, .. } => ("sse", url.to_string()),
            // The arguments may contain a secret.
            Transport::Stdio { command, .. } => ("stdio", command.source().to_owned()),
        };
        Self { name: server.name.clone(), transport, address, enabled: !server.disabled, error: None }
    }

    fn of_broken(broken: &BrokenServer) -> Self {
        Self {
            name: broken.name.clone(),
            transport: if broken.is_program { "stdio" } else { "http" },
            address: broken.url.as_ref().map(ToString::to_string).unwrap_or_default(),
            enabled: false,
            error: broken.errors.first().map(ToString::to_string),
        }
    }
}

/// Prints the servers in the file's order.
pub async fn run(paths: &Paths, output: Output) -> Result<(), CommandError> {
    let config = paths.config_file().load()?;
    let rows: Vec<Row> = config
        .entries()
        .map(|entry| match entry {
            Entry::Server(server) => Row::of_server(server),
            Entry::Broken(broken) => Row::of_broken(broken),
        })
        .collect();
    output.result(&rows, || {
        if rows.is_empty() {
            return "No servers yet. To add one: usher add notion https://mcp.notion.com/mcp".into();
        }
        let cells = rows.iter().map(|row| {
            let (state, detail) = match (&row.error, row.enabled) {
                (Some(error), _) => ("error", error),
                (None, true) => ("enabled", &row.address),
                (None, false) => ("disabled", &row.address),
            };
            vec![display_text(&row.name, 60), row.transport.into(), state.into(), display_text(detail, 120)]
        });
        table(&["name", "kind", "state", "address"], cells)
    });
    Ok(())
}
