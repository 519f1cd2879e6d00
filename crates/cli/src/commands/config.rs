//! `usher config check`.

use crate::arguments::Config;
use crate::exit::CommandError;
use crate::output::{Output, count};
use crate::paths::Paths;

/// Checks mcp.json without an engine.
pub async fn run(paths: &Paths, output: Output, command: &Config) -> Result<(), CommandError> {
    let Config::Check = command;
    let file = paths.config_file();
    let config = file.load()?;
    let servers = u32::try_from(config.servers.len()).unwrap_or(u32::MAX);
    let value = serde_json::json!({ "path": file.path(), "servers": servers, "warnings": config.warnings });
    output.result(&value, || {
        let head = format!("{}: {}, no errors.", file.path().display(), count(servers, "server"));
        let warnings = config.warnings.iter().flat_map(|warning| {
            std::iter::once(warning.to_string()).chain(warning.hint.as_ref().map(|hint| format!("  {hint}")))
        });
        std::iter::once(head).chain(warnings).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}
