//! The start time and memory of the app's window, compared with an empty window. The start ends when the first usable
//! screen is painted.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::figure::{Figure, median};
use super::{megabytes, memory, virtual_desktop};
use crate::leftovers;
use crate::repository::Repository;
use crate::start::{READY_LINE, READY_VARIABLE};

const GOAL: f64 = 1.25;
const OPEN_DEADLINE: Duration = Duration::from_secs(30);
/// The time that a program needs to finish its work after the first screen.
const SETTLE: Duration = Duration::from_secs(3);

/// The app and the empty window, in the order in which they are opened and listed.
const PROGRAMS: [&str; 2] = ["usher-desktop", "usher-empty-window"];

struct Opened {
    milliseconds: f64,
    megabytes: f64,
}

/// Opens both windows alternately, and writes every result.
pub fn measure_into(repository: &Repository, runs: u32, path: &Path) -> Result<()> {
    virtual_desktop::unlock_keychain()?;
    let mut results = PROGRAMS.map(|_| Vec::new());
    // The first turn fills caches and creates folders, so it is not counted.
    for turn in 0..=runs {
        for (program, results) in PROGRAMS.iter().zip(&mut results) {
            let opened = open(&repository.built("release", program)).with_context(|| program.to_string())?;
            if turn > 0 {
                results.push(opened);
            }
        }
    }
    let json = json!({
        "programs": PROGRAMS,
        "milliseconds": results.each_ref().map(|all| all.iter().map(|opened| opened.milliseconds).collect::<Vec<_>>()),
        "megabytes": results.each_ref().map(|all| all.iter().map(|opened| opened.megabytes).collect::<Vec<_>>()),
    });
    fs::write(path, json.to_string()).with_context(|| format!("write {}", path.display()))?;
    leftovers::end();
    Ok(())
}

/// Returns the medians of the results that [`measure_into`] wrote.
pub fn figures(path: &Path) -> Result<[Figure; 2]> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let results: Value = serde_json::from_str(&text).context("parse the results of the windows")?;
    Ok([
        compare("window start to first interactive paint", "ms", &results["milliseconds"])?,
        compare("memory of the window (PSS, all processes)", "MB", &results["megabytes"])?,
    ])
}

fn compare(name: &str, unit: &str, results: &Value) -> Result<Figure> {
    let median_of = |index: usize| {
        let values: Option<Vec<f64>> = results[index].as_array()?.iter().map(Value::as_f64).collect();
        median(&values?)
    };
    let (Some(ours), Some(empty)) = (median_of(0), median_of(1)) else { bail!("no results for: {name}") };
    let figure = Figure::new(name, format!("{ours:.0} {unit} (empty window {empty:.0} {unit})"));
    Ok(figure.with_value(ours).with_ratio(ours / empty, GOAL))
}

fn open(program: &Path) -> Result<Opened> {
    let started = Instant::now();
    let mut child = Command::new(program)
        .env(READY_VARIABLE, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let lines = BufReader::new(child.stderr.take().context("the program has no stderr")?).lines();
    let (sender, ready) = mpsc::channel();
    // Reads to the end, so that the program never blocks on a full pipe.
    thread::spawn(move || {
        for line in lines.map_while(Result::ok).filter(|line| line == READY_LINE) {
            // The receiver is gone after the first line.
            let _ = sender.send((line, Instant::now()));
        }
    });
    let painted = ready.recv_timeout(OPEN_DEADLINE);
    let painted = painted.context("the window did not report its first paint");
    let opened = painted.and_then(|(_, painted)| {
        thread::sleep(SETTLE);
        Ok(Opened {
            milliseconds: painted.duration_since(started).as_secs_f64() * 1000.0,
            megabytes: megabytes(memory::of_tree(child.id())?),
        })
    });
    leftovers::end_tree(&mut child);
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_compared() {
        let results = json!([[300.0, 100.0, 200.0], [100.0, 100.0, 100.0]]);
        let figure = compare("start", "ms", &results).expect("a figure");
        assert_eq!(
            figure,
            Figure::new("start", "200 ms (empty window 100 ms)").with_value(200.0).with_ratio(2.0, GOAL)
        );
        assert!(compare("start", "ms", &json!([[], []])).is_err());
    }
}
