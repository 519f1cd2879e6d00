//! `usher config check|format|restore`: the file mcp.json, without an engine.

use std::path::Path;

use usher_api::{Code, ErrorView};
use usher_config::{ConfigFile, Diagnostic, FormatReport, Rewrite};

use crate::arguments::Config;
use crate::exit::CommandError;
use crate::output::{Output, count};
use crate::paths::Paths;

pub async fn run(paths: &Paths, output: Output, command: &Config) -> Result<(), CommandError> {
    let file = paths.config_file();
    match command {
        Config::Check => check(&file, output),
        Config::Format { check: true } => check_format(&file, output),
        Config::Format { check: false } => format(&file, output),
        Config::Restore => restore(&file, output),
    }
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

fn format(file: &ConfigFile, output: Output) -> Result<(), CommandError> {
    let report = file.format()?;
    output.result(&report_value(file.path(), &report), || {
        let head = match report.rewritten.len() {
            0 => "Nothing to change.".to_owned(),
            changes => format!("Changed {} in {}:", spellings(changes), file.path().display()),
        };
        report_text(head, &report)
    });
    Ok(())
}

/// Reports what `format` would change. Fails if it would change anything.
fn check_format(file: &ConfigFile, output: Output) -> Result<(), CommandError> {
    let report = file.check_format()?;
    let changes = report.rewritten.len();
    output.result(&report_value(file.path(), &report), || {
        let head = match changes {
            0 => "Nothing to change.".to_owned(),
            changes => format!("{} to change in {}:", spellings(changes), file.path().display()),
        };
        report_text(head, &report)
    });
    if changes == 0 {
        return Ok(());
    }
    let message = format!("{} is not in Usher's own spelling.", file.path().display());
    Err(ErrorView::new(Code::ConfigInvalid, message, "Run `usher config format`.").into())
}

fn spellings(changes: usize) -> String {
    count(u32::try_from(changes).unwrap_or(u32::MAX), "spelling")
}

fn report_value(path: &Path, report: &FormatReport) -> serde_json::Value {
    serde_json::json!({
        "path": path, "rewritten": report.rewritten, "kept": report.kept, "skipped": report.skipped,
    })
}

fn report_text(head: String, report: &FormatReport) -> String {
    let line = |Rewrite { server, from, to }: &Rewrite| format!("  {server}: {from} → {to}");
    let mut lines = vec![head];
    lines.extend(report.rewritten.iter().map(line));
    if !report.kept.is_empty() {
        lines.push("Not changed, because another key or a comment is in the way:".to_owned());
        lines.extend(report.kept.iter().map(line));
    }
    if !report.skipped.is_empty() {
        lines.push(format!("Not changed, because of an error: {}", report.skipped.join(", ")));
    }
    lines.join("\n")
}

fn restore(file: &ConfigFile, output: Output) -> Result<(), CommandError> {
    let saved_as = file.restore()?.saved_as;
    let value = serde_json::json!({ "path": file.path(), "saved_as": saved_as });
    output.result(&value, || {
        let written = format!("{} has only the examples now.", file.path().display());
        match &saved_as {
            Some(saved) => format!("The previous file is saved as {}.\n{written}", saved.display()),
            None => written,
        }
    });
    Ok(())
}
