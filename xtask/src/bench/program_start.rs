//! The start of a public program through the engine, compared with the program alone.

use anyhow::Result;
use serde_json::Value;

use super::figure::Figure;
use super::measurements::{self, median_of};
use crate::repository::Repository;

const GOAL: f64 = 1.05;

pub fn measure(repository: &Repository) -> Result<Figure> {
    println!("bench: the start of a program");
    figure(&measurements::of_subject(repository, "program-start")?)
}

fn figure(measured: &Value) -> Result<Figure> {
    let (usher, alone) = (median_of(measured, "usher")?, median_of(measured, "alone")?);
    let text = format!("{usher:.0} ms (the program alone {alone:.0} ms)");
    let figure = Figure::new("start of server-everything to its first list of tools", text);
    Ok(figure.with_value(usher).with_ratio(usher / alone, GOAL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_medians_of_all_starts_are_compared() {
        let measured = json!({ "usher": [900.0, 550.0, 540.0], "alone": [500.0, 500.0, 100.0] });
        let name = "start of server-everything to its first list of tools";
        let expected = Figure::new(name, "550 ms (the program alone 500 ms)");
        assert_eq!(figure(&measured).expect("a figure"), expected.with_value(550.0).with_ratio(1.1, GOAL));
        assert!(figure(&json!({ "usher": [1.0], "alone": [] })).is_err());
    }
}
