//! `usher list`: lists the servers in mcp.json, without connecting to them.

use serde::Serialize;
use usher_config::{Transport, display_text};

use crate::exit::CommandError;
use crate::output::{Output, table};
use crate::paths::Paths;

#[derive(Serialize)]
struct Row {
    name: String,
    transport: &'static str,
    address: String,
    enabled: bool,
}

/// Prints the servers in the file's order.
pub async fn run(paths: &Paths, output: Output) -> Result<(), CommandError> {
    let config = paths.config_file().load()?;
    let rows: Vec<Row> = config
        .servers
        .iter()
        .map(|server| {
            let (transport, address) = match &server.transport {
                Transport::Http { url, .. } => ("http", url.to_string()),
                Transport::Sse { url, .. } => ("sse", url.to_string()),
                // The arguments may contain a secret.
                Transport::Stdio { command, .. } => ("stdio", command.source().to_owned()),
            };
            Row { name: server.name.clone(), transport, address, enabled: !server.disabled }
        })
        .collect();
    output.result(&rows, || {
        if rows.is_empty() {
            return "No servers yet. To add one: usher add notion https://mcp.notion.com/mcp".into();
        }
        let cells = rows.iter().map(|row| {
            let state = if row.enabled { "enabled" } else { "disabled" };
            vec![
                display_text(&row.name, 60),
                row.transport.into(),
                state.into(),
                display_text(&row.address, 120),
            ]
        });
        table(&["name", "kind", "state", "address"], cells)
    });
    Ok(())
}
