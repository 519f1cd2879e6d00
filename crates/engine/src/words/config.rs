//! Messages about `mcp.json`, and its view.

use std::path::Path;

use usher_api::{Code, ConfigView, ErrorView};
use usher_config::{BrokenServer, Config, ConfigError, RenderError};

use super::capitalized;

/// Describes an error of `mcp.json`.
pub fn describe_config_error(error: &ConfigError) -> ErrorView {
    ErrorView { code: Code::ConfigInvalid, message: format!("{error}."), hint: error.hint(), details: None }
}

/// Describes the errors of an entry: the first one, and the others as details.
pub(crate) fn entry_error(entry: &BrokenServer, name: &str) -> ErrorView {
    let mut errors = entry.errors.iter();
    let Some(first) = errors.next() else {
        return ErrorView::without_hint(Code::ConfigInvalid, format!("The entry of {name} has an error."));
    };
    let message = format!("{name} has an error in mcp.json, {first}.");
    let others: Vec<_> = errors.map(ToString::to_string).collect();
    ErrorView {
        code: Code::ConfigInvalid,
        message,
        hint: first.hint.clone(),
        details: (!others.is_empty()).then(|| others.join("\n")),
    }
}

/// Describes a placeholder that cannot be resolved.
pub(crate) fn describe_render_error(error: &RenderError) -> ErrorView {
    ErrorView::new(Code::ConfigInvalid, capitalized(&format!("{error}.")), error.hint())
}

pub(crate) fn unknown_server(name: &str) -> ErrorView {
    ErrorView::new(
        Code::ConfigInvalid,
        format!("There is no server named {name}."),
        "Check the names in mcp.json.",
    )
}

pub(crate) fn view(path: &Path, loaded: Result<&Config, &ConfigError>) -> ConfigView {
    let error = loaded.err();
    let warnings = loaded.map(|config| config.warnings.as_slice()).unwrap_or_default();
    ConfigView {
        path: path.display().to_string(),
        error: error.map(describe_config_error),
        line: error.and_then(ConfigError::line),
        column: error.and_then(ConfigError::column),
        entry_errors: loaded.into_iter().flat_map(Config::errors).map(ToString::to_string).collect(),
        warnings: warnings.iter().map(ToString::to_string).collect(),
    }
}
