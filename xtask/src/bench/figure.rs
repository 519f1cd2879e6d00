//! One measured figure with its goal, and the table of all figures.

use std::fmt;

use serde_json::{Value, json};

/// A measurement, as text for the table and as a number for the JSON report.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    name: String,
    measured: String,
    value: Option<f64>,
    ratio: Option<f64>,
    goal: Option<Goal>,
}

#[derive(Debug, Clone, PartialEq)]
struct Goal {
    text: String,
    is_met: bool,
}

impl Figure {
    pub fn new(name: &str, measured: impl Into<String>) -> Self {
        Self { name: name.into(), measured: measured.into(), value: None, ratio: None, goal: None }
    }

    pub fn with_value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    /// Adds a goal relative to a reference measurement: at most `goal` times as much.
    pub fn with_ratio(mut self, ratio: f64, goal: f64) -> Self {
        self.ratio = Some(ratio);
        self.with_goal(format!("≤ {goal}×"), ratio <= goal)
    }

    pub fn with_goal(mut self, text: impl Into<String>, is_met: bool) -> Self {
        self.goal = Some(Goal { text: text.into(), is_met });
        self
    }
}

#[derive(Default)]
pub struct Report(Vec<Figure>);

impl Report {
    pub fn extend(&mut self, figures: impl IntoIterator<Item = Figure>) {
        self.0.extend(figures);
    }

    pub fn to_json(&self) -> Value {
        let figure = |figure: &Figure| {
            json!({
                "figure": figure.name,
                "measured": figure.measured,
                "value": figure.value,
                "ratio": figure.ratio,
                "goal": figure.goal.as_ref().map(|goal| &goal.text),
                "met": figure.goal.as_ref().map(|goal| goal.is_met),
            })
        };
        Value::Array(self.0.iter().map(figure).collect())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| figure | goal | measured | ratio |\n|---|---|---|---|")?;
        for Figure { name, measured, ratio, goal, .. } in &self.0 {
            let ratio = ratio.map(|ratio| format!("{ratio:.2}×")).unwrap_or_default();
            let goal = match goal {
                Some(Goal { text, is_met: true }) => text.clone(),
                Some(Goal { text, is_met: false }) => format!("{text} (missed)"),
                None => String::new(),
            };
            writeln!(out, "| {name} | {goal} | {measured} | {ratio} |")?;
        }
        Ok(())
    }
}

/// The median of the values; `None` if there are no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { *upper } else { (sorted[middle - 1] + upper) / 2.0 })
}

/// The smallest value that is at least as large as this share of the values; `None` if there are no values.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The cast is exact, because the rank is a whole number between 0 and the number of values.
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_values() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), Some(198.0));
        assert_eq!(quantile(&values, 0.5), Some(100.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.99), None);
    }

    #[test]
    fn a_missed_goal_is_marked() {
        let mut report = Report::default();
        report.extend([
            Figure::new("start", "600 ms").with_value(600.0).with_ratio(1.5, 1.25),
            Figure::new("size", "9 MB"),
        ]);
        assert_eq!(
            report.to_string(),
            "| figure | goal | measured | ratio |\n|---|---|---|---|\n\
             | start | ≤ 1.25× (missed) | 600 ms | 1.50× |\n\
             | size |  | 9 MB |  |\n"
        );
        assert_eq!(report.to_json()[0]["met"], json!(false));
        assert_eq!(report.to_json()[1]["goal"], Value::Null);
    }
}
