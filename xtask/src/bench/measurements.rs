//! The measurements that the measuring program (`tests/bench`) prints as JSON.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::figure::median;
use crate::command;
use crate::repository::Repository;

/// Measures a subject. The program has its own deadline.
pub fn of_subject(repository: &Repository, subject: &str) -> Result<Value> {
    let mut program = repository.command(repository.built("release", "measure"));
    let output =
        program.arg(subject).stderr(Stdio::inherit()).output().with_context(|| command::display(&program))?;
    if !output.status.success() {
        bail!("{} failed ({})", command::display(&program), output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("parse the measurements of {subject}"))
}

pub fn median_of(measured: &Value, key: &str) -> Result<f64> {
    median(&numbers(measured, key)?).with_context(|| format!("{key} is empty"))
}

pub fn numbers(measured: &Value, key: &str) -> Result<Vec<f64>> {
    let numbers = measured[key].as_array().with_context(|| format!("{key} is missing"))?;
    let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
    numbers.with_context(|| format!("{key} is not a list of numbers"))
}
