//! The window with the longest list of tools and with the worst descriptions, compared with a server of ten tools.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::figure::Figure;
use super::{megabytes, memory};
use crate::leftovers;
use crate::repository::Repository;

/// The longest time in milliseconds for which a keystroke may block the window: three frames.
const BLOCKED_GOAL: f64 = 50.0;

/// The window with one server.
struct Measured {
    name: String,
    tools: u64,
    /// Milliseconds from the start of the app to the first tool.
    start: f64,
    /// Milliseconds from a keystroke in the search to its result.
    shown: f64,
    /// The longest part of this time in which the window did nothing else.
    blocked: f64,
    megabytes: f64,
}

pub fn measure(repository: &Repository) -> Result<Vec<Figure>> {
    println!("bench: the window with long lists");
    let mut program = repository.command(repository.built("release", "measure"));
    program.arg("large-lists");
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("start large-lists")?;
    let mut input = child.stdin.take().context("large-lists has no stdin")?;
    let mut measured = Vec::new();
    for line in BufReader::new(child.stdout.take().context("large-lists has no stdout")?).lines() {
        let line: Value =
            serde_json::from_str(&line.context("read a measurement")?).context("parse a measurement")?;
        let pid = line["pid"].as_u64().and_then(|pid| pid.try_into().ok()).context("a process id")?;
        measured.push(parse(&line, megabytes(memory::of_tree(pid)?))?);
        writeln!(input).context("continue large-lists")?;
    }
    let status = child.wait().context("wait for large-lists")?;
    leftovers::end();
    let [few, many, worst] = measured.as_slice() else { bail!("large-lists did not finish ({status})") };
    Ok([many, worst].into_iter().flat_map(|large| compare(large, few)).collect())
}

fn parse(line: &Value, megabytes: f64) -> Result<Measured> {
    let number = |value: &Value| value.as_f64().with_context(|| format!("a number is missing in {line}"));
    Ok(Measured {
        name: line["name"].as_str().context("a name")?.to_owned(),
        tools: line["tools"].as_u64().context("a number of tools")?,
        start: number(&line["start"])?,
        shown: number(&line["key"]["shown"])?,
        blocked: number(&line["key"]["blocked"])?,
        megabytes,
    })
}

/// The figures of a window with large lists, each with its ratio to the window with few tools.
fn compare(large: &Measured, few: &Measured) -> [Figure; 4] {
    let with = match large.name.as_str() {
        "worst" => format!("{} tools with the worst descriptions", large.tools),
        _ => format!("{} tools", large.tools),
    };
    let figure = |what: &str, unit: &str, large: f64, few_value: f64| {
        let text = format!(
            "{large:.0} {unit}, {:.2} times that with {} tools ({few_value:.0} {unit})",
            large / few_value,
            few.tools
        );
        Figure::new(&format!("{with}: {what}"), text).with_value(large)
    };
    [
        figure("start to the first tool", "ms", large.start, few.start),
        figure("keystroke in the search to its result", "ms", large.shown, few.shown),
        figure("longest block after a keystroke", "ms", large.blocked, few.blocked)
            .with_goal(format!("≤ {BLOCKED_GOAL} ms"), large.blocked <= BLOCKED_GOAL),
        figure("memory of the window (PSS, all processes)", "MB", large.megabytes, few.megabytes),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_window_with_large_lists_is_compared_with_one_with_few_tools() {
        let few =
            json!({ "name": "few", "tools": 10, "start": 1000.0, "key": { "shown": 4.0, "blocked": 2.0 } });
        let many = json!({ "name": "many", "tools": 500, "start": 1500.0, "key": { "shown": 40.0, "blocked": 80.0 } });
        let [few, many] = [few, many].map(|line| parse(&line, 200.0).expect("a measurement"));
        let [start, _, blocked, _] = compare(&many, &few);
        let expected = Figure::new(
            "500 tools: start to the first tool",
            "1500 ms, 1.50 times that with 10 tools (1000 ms)",
        );
        assert_eq!(start, expected.with_value(1500.0));
        let text = format!("{blocked:?}");
        assert!(text.contains("80 ms, 40.00 times") && text.contains("is_met: false"), "{text}");
        assert!(parse(&json!({ "name": "few", "tools": 10 }), 1.0).is_err());
    }
}
