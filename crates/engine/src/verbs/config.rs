//! Methods for `mcp.json`.

use usher_api::ConfigView;

use crate::engine::Engine;
use crate::words;

impl Engine {
    /// Reads `mcp.json` again and returns the result.
    pub fn check_config(&self) -> ConfigView {
        let config = &self.run.config;
        words::config::view(config.path(), config.load().as_ref())
    }
}
