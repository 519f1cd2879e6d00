//! The overhead of the engine with many services at a start, and with many callers at one token expiry.

use anyhow::Result;
use serde_json::Value;

use super::figure::Figure;
use super::measurements::{self, median_of, numbers};
use crate::repository::Repository;

const GOAL: f64 = 1.5;

pub fn measure(repository: &Repository) -> Result<[Figure; 2]> {
    println!("bench: a start with many services, an expiry with many callers");
    let measured = measurements::of_subject(repository, "fleet")?;
    Ok([start(&measured)?, callers(&measured)?])
}

fn start(measured: &Value) -> Result<Figure> {
    let (all, alone) = (median_of(measured, "all")?, median_of(measured, "slowest_alone")?);
    let services = &measured["services"];
    let name =
        format!("time until {services} services are connected, compared with the slowest service alone");
    let figure = Figure::new(&name, format!("{all:.0} ms (alone {alone:.0} ms)"));
    Ok(figure.with_value(all).with_ratio(all / alone, GOAL))
}

fn callers(measured: &Value) -> Result<Figure> {
    let (valid, expired) = (median_of(measured, "valid")?, median_of(measured, "expired")?);
    let refreshes = numbers(measured, "refreshes")?;
    let count = &measured["callers"];
    let name = format!("{count} callers at one expiry: additional time");
    let text = format!("{:.0} ms ({expired:.0} ms, {valid:.0} ms with a valid token)", expired - valid);
    let is_one = refreshes.iter().all(|refreshes| *refreshes == 1.0);
    Ok(Figure::new(&name, text).with_value(expired - valid).with_goal("one refresh", is_one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_medians_of_all_runs_are_compared() {
        let measured = json!({
            "services": 50, "all": [3000.0, 2000.0, 2500.0], "slowest_alone": [2000.0, 2000.0, 2100.0],
            "callers": 500, "valid": [100.0], "expired": [130.0], "refreshes": [1, 1],
        });
        let figure = start(&measured).expect("a figure");
        let name = "time until 50 services are connected, compared with the slowest service alone";
        let expected = Figure::new(name, "2500 ms (alone 2000 ms)").with_value(2500.0).with_ratio(1.25, GOAL);
        assert_eq!(figure, expected);
        let figure = callers(&measured).expect("a figure");
        let name = "500 callers at one expiry: additional time";
        let expected = Figure::new(name, "30 ms (130 ms, 100 ms with a valid token)");
        assert_eq!(figure, expected.with_value(30.0).with_goal("one refresh", true));
    }

    #[test]
    fn a_second_refresh_misses_the_goal() {
        let measured = json!({ "callers": 2, "valid": [1.0], "expired": [1.0], "refreshes": [1, 2] });
        let missed =
            Figure::new("2 callers at one expiry: additional time", "0 ms (1 ms, 1 ms with a valid token)");
        assert_eq!(
            callers(&measured).expect("a figure"),
            missed.with_value(0.0).with_goal("one refresh", false)
        );
        assert!(start(&measured).is_err());
    }
}
