//! Tool calls through Usher, compared with those of a bare client.

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::{Figure, quantile};
use super::measurements::{self, numbers};
use crate::repository::Repository;

/// The longest permitted addition to the median call, in milliseconds.
const GOAL: f64 = 0.3;

pub fn measure(repository: &Repository) -> Result<Vec<Figure>> {
    println!("bench: tool calls");
    figures(&measurements::of_subject(repository, "tool-call")?)
}

fn figures(measured: &Value) -> Result<Vec<Figure>> {
    let servers = [("program", "a program"), ("http", "an HTTP server")];
    let ways = [("engine", "through the engine"), ("socket", "through the socket")];
    let pairs = servers.iter().flat_map(|server| ways.iter().map(move |way| (server, way)));
    pairs
        .map(|((server, server_name), (way, way_name))| {
            let measured = &measured[*server];
            let (usher, alone) = (Calls::of(measured, way)?, Calls::of(measured, "alone")?);
            Ok(compare(&format!("tool call of {server_name} {way_name}: added time"), &usher, &alone))
        })
        .collect()
}

/// The milliseconds of the calls of one client.
struct Calls {
    p50: f64,
    p99: f64,
}

impl Calls {
    fn of(measured: &Value, client: &str) -> Result<Self> {
        let milliseconds = numbers(measured, client)?;
        let of = |share| quantile(&milliseconds, share).with_context(|| format!("{client} is empty"));
        Ok(Self { p50: of(0.5)?, p99: of(0.99)? })
    }
}

fn compare(name: &str, usher: &Calls, alone: &Calls) -> Figure {
    let added = usher.p50 - alone.p50;
    let text = format!(
        "{added:.2} ms at p50 ({:.2} ms, bare client {:.2} ms), {:.2} ms at p99 ({:.2} ms, {:.2} ms)",
        usher.p50,
        alone.p50,
        usher.p99 - alone.p99,
        usher.p99,
        alone.p99,
    );
    Figure::new(name, text).with_value(added).with_goal(format!("≤ {GOAL} ms at p50"), added <= GOAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_way_is_compared_with_the_bare_client_of_the_same_server() {
        let measured = json!({
            "program": { "alone": [0.5, 0.25, 1.0], "engine": [0.75, 0.5, 3.0], "socket": [1.0, 0.9, 4.0] },
            "http": { "alone": [1.0], "engine": [1.25], "socket": [1.5] },
        });
        let figures = figures(&measured).expect("figures");
        let text = "0.25 ms at p50 (0.75 ms, bare client 0.50 ms), 2.00 ms at p99 (3.00 ms, 1.00 ms)";
        let first = Figure::new("tool call of a program through the engine: added time", text);
        assert_eq!(figures[0], first.with_value(0.25).with_goal("≤ 0.3 ms at p50", true));
        let text = "0.50 ms at p50 (1.50 ms, bare client 1.00 ms), 0.50 ms at p99 (1.50 ms, 1.00 ms)";
        let last = Figure::new("tool call of an HTTP server through the socket: added time", text);
        assert_eq!(figures[3], last.with_value(0.5).with_goal("≤ 0.3 ms at p50", false));
        assert_eq!(figures.len(), 4);
    }

    #[test]
    fn a_client_without_calls_is_an_error() {
        let calls = json!({ "alone": [1.0], "engine": [], "socket": [1.0] });
        assert!(figures(&json!({ "program": calls, "http": calls })).is_err());
    }
}
