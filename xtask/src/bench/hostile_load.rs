//! The memory and time that hostile servers cost.

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::Figure;
use super::measurements;
use crate::repository::Repository;

/// The largest permitted growth of the process that runs the engine.
const MEGABYTES: f64 = 50.0;
/// The largest permitted delay of the slowest call of a good server, compared with the slowest call before.
const MILLISECONDS: f64 = 50.0;

pub fn measure(repository: &Repository) -> Result<Vec<Figure>> {
    println!("bench: hostile servers");
    let measured = measurements::of_subject(repository, "hostile-load")?;
    let measured = measured.as_array().context("the measurements are not a list")?;
    measured.iter().map(figure).collect()
}

fn figure(measured: &Value) -> Result<Figure> {
    let number = |key: &str| measured[key].as_f64().with_context(|| format!("{key} is missing"));
    let (megabytes, delay) = (number("megabytes")?, number("beside")? - number("alone")?);
    let count = |key: &str| measured[key].as_u64().with_context(|| format!("{key} is missing"));
    let (calls, failed) = (count("calls")?, count("failed")?);
    let server = measured["server"].as_str().context("server is missing")?;
    let figure = Figure::new(
        &format!("hostile server: {server}"),
        format!("{megabytes:.0} MB more, a call {delay:.0} ms slower, {failed} of {} failed", calls + failed),
    );
    let is_met = megabytes <= MEGABYTES && delay <= MILLISECONDS && calls > 0 && failed == 0;
    let goal = format!("≤ {MEGABYTES} MB, ≤ {MILLISECONDS} ms, no failed call");
    Ok(figure.with_value(megabytes).with_goal(goal, is_met))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_server_that_costs_too_much_memory_or_time_or_a_call_misses_the_goal() {
        for (megabytes, beside, (calls, failed), is_met) in [
            (50.0, 90.0, (9, 0), true),
            (51.0, 40.0, (9, 0), false),
            (0.0, 91.0, (9, 0), false),
            (0.0, 40.0, (8, 1), false),
            (0.0, 0.0, (0, 0), false),
        ] {
            let measured = json!({
                "server": "s", "megabytes": megabytes, "alone": 40.0, "beside": beside, "calls": calls, "failed": failed,
            });
            let slower = beside - 40.0;
            let text = format!(
                "{megabytes:.0} MB more, a call {slower:.0} ms slower, {failed} of {} failed",
                calls + failed
            );
            let expected = Figure::new("hostile server: s", text).with_value(megabytes);
            let expected = expected.with_goal("≤ 50 MB, ≤ 50 ms, no failed call", is_met);
            assert_eq!(figure(&measured).expect("a figure"), expected);
        }
        assert!(figure(&json!({ "server": "s" })).is_err());
    }
}
