//! The memory that one more connected HTTP server costs.

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::Figure;
use super::measurements::{self, median_of};
use crate::repository::Repository;

const GOAL: f64 = 300.0;

pub fn measure(repository: &Repository) -> Result<Figure> {
    println!("bench: the memory of a connected server");
    figure(&measurements::of_subject(repository, "server-memory")?)
}

fn figure(measured: &Value) -> Result<Figure> {
    let servers = measured["servers"].as_f64().filter(|servers| *servers > 1.0);
    let servers = servers.context("servers is missing")?;
    let (one, many) = (median_of(measured, "one")?, median_of(measured, "many")?);
    let kilobytes = (many - one) / (servers - 1.0);
    let text = format!("{kilobytes:.0} kB (1 server {one:.0} kB, {servers} servers {many:.0} kB)");
    let figure = Figure::new("private memory of the engine for each connected HTTP server", text);
    Ok(figure.with_value(kilobytes).with_goal(format!("≤ {GOAL} kB"), kilobytes <= GOAL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_memory_of_all_but_one_server_is_divided() {
        let name = "private memory of the engine for each connected HTTP server";
        for (many, kilobytes, is_met) in [(38_000.0, 300.0, true), (48_000.0, 400.0, false)] {
            let measured =
                json!({ "servers": 101, "one": [9_000.0, 8_000.0, 7_000.0], "many": [many, many] });
            let text = format!("{kilobytes} kB (1 server 8000 kB, 101 servers {many} kB)");
            let expected = Figure::new(name, text).with_value(kilobytes).with_goal("≤ 300 kB", is_met);
            assert_eq!(figure(&measured).expect("a figure"), expected);
        }
        assert!(figure(&json!({ "servers": 1, "one": [1.0], "many": [1.0] })).is_err());
    }
}
