//! `usher enable NAME` and `usher disable NAME`.

use usher_config::display_text;

use crate::arguments::Places;
use crate::exit::Failure;
use crate::output::Output;
use crate::session::config_file;

/// Switches one server on or off in mcp.json; a running app sees the change by itself.
pub async fn run(places: &Places, output: Output, name: &str, enabled: bool) -> Result<(), Failure> {
    config_file(places).set_disabled(name, !enabled)?;
    output.result(&serde_json::json!({ "name": name, "enabled": enabled }), || {
        format!("{} is {}.", display_text(name, 80), if enabled { "on" } else { "off" })
    });
    Ok(())
}
