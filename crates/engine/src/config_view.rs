//! `mcp.json` as people see it: where it lies, and what is wrong with it.

use std::path::Path;

use usher_config::{Config, ConfigError};

use crate::ConfigView;
use crate::describe::describe_config_error;

pub(crate) fn good(path: &Path, config: &Config) -> ConfigView {
    ConfigView {
        path: path.display().to_string(),
        error: None,
        line: None,
        column: None,
        warnings: config.warnings.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn broken(path: &Path, error: &ConfigError) -> ConfigView {
    ConfigView {
        path: path.display().to_string(),
        error: Some(describe_config_error(error)),
        line: error.line(),
        column: error.column(),
        warnings: Vec::new(),
    }
}
