//! `usher config check`: checks mcp.json without an engine.

use usher_api::{Code, ErrorView};
use usher_config::{ConfigFile, Diagnostic};

use crate::arguments::Config;
use crate::exit::CommandError;
use crate::output::{Output, count};
use crate::paths::Paths;

pub async fn run(paths: &Paths, output: Output, command: &Config) -> Result<(), CommandError> {
    let Config::Check = command;
    check(&paths.config_file(), output)
}

/// Lists every error of every entry, and the warnings. Fails if there is an error.
fn check(file: &ConfigFile, output: Output) -> Result<(), CommandError> {
    let config = file.load()?;
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let (servers, broken) = (number(config.servers.len()), number(config.broken.len()));
    let errors: Vec<&Diagnostic> = config.errors().collect();
    let value = serde_json::json!({
        "path": file.path(), "servers": servers, "errors": errors, "warnings": config.warnings,
    });
    let head = match broken {
        0 => format!("{}: {}, no errors.", file.path().display(), count(servers, "server")),
        broken => format!(
            "{}: {}, {} with errors.",
            file.path().display(),
            count(servers + broken, "server"),
            broken
        ),
    };
    output.result(&value, || {
        let errors = errors.iter().flat_map(|error| lines("error", error));
        let warnings = config.warnings.iter().flat_map(|warning| lines("warning", warning));
        std::iter::once(head).chain(errors).chain(warnings).collect::<Vec<_>>().join("\n")
    });
    if broken == 0 {
        return Ok(());
    }
    let message = format!("{} of {} cannot be used.", count(broken, "server"), file.path().display());
    Err(ErrorView::new(Code::ConfigInvalid, message, "Correct the lines above. The other servers run.")
        .into())
}

/// Formats a problem as its line and, if there is one, the next step.
fn lines(severity: &str, problem: &Diagnostic) -> Vec<String> {
    let server = problem.server.as_ref().map(|server| format!(" in {server}")).unwrap_or_default();
    let hint = problem.hint.as_ref().map(|hint| format!("  {hint}"));
    let head =
        format!("{severity}{server}, line {}, column {}: {}", problem.line, problem.column, problem.message);
    std::iter::once(head).chain(hint).collect()
}
