//! Methods for `mcp.json`.

use usher_api::ConfigView;

use crate::engine::Engine;
use crate::words;

impl Engine {
    /// Reads `mcp.json` again and returns the result.
    pub fn check_config(&self) -> ConfigView {
        let config = &self.run.config;
        match config.load() {
            Ok(loaded) => words::config::valid(config.path(), &loaded),
            Err(error) => words::config::invalid(config.path(), &error),
        }
    }
}
