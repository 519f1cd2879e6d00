//! `usher list`: what stands in mcp.json; nothing is connected.

use serde::Serialize;
use usher_config::{Transport, display_text};

use crate::arguments::Places;
use crate::exit::Failure;
use crate::output::{Output, table};
use crate::session::config_file;

#[derive(Serialize)]
struct Row {
    name: String,
    transport: &'static str,
    address: String,
    enabled: bool,
}

/// Prints the servers in the file's order.
pub async fn run(places: &Places, output: Output) -> Result<(), Failure> {
    let config = config_file(places).load()?;
    let rows: Vec<Row> = config
        .servers
        .iter()
        .map(|server| {
            let (transport, address) = match &server.transport {
                Transport::Http { url, .. } => ("http", url.to_string()),
                Transport::Sse { url, .. } => ("sse", url.to_string()),
                // Arguments may hold a secret that somebody typed there.
                Transport::Stdio { command, .. } => ("stdio", command.source().to_owned()),
            };
            Row { name: server.name.clone(), transport, address, enabled: !server.disabled }
        })
        .collect();
    output.result(&rows, || {
        if rows.is_empty() {
            return "No servers yet. `usher add notion https://mcp.notion.com/mcp` adds one.".into();
        }
        let cells = rows.iter().map(|row| {
            let state = if row.enabled { "on" } else { "off" };
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
