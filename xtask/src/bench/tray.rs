//! The memory of the app in the tray, without a window, compared with the bare runtime.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::figure::Figure;
use super::{megabytes, memory};
use crate::leftovers;
use crate::repository::Repository;

pub fn measure(repository: &Repository) -> Result<[Figure; 2]> {
    println!("bench: the app in the tray");
    let mut program = repository.command(repository.built("release", "measure"));
    program.arg("tray-memory");
    let mut child = program
        .arg(repository.built("release", "usher-empty-window"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start tray-memory")?;
    let mut input = child.stdin.take().context("tray-memory has no stdin")?;
    let mut measured = Vec::new();
    for line in BufReader::new(child.stdout.take().context("tray-memory has no stdout")?).lines() {
        let line = line.context("read the process to measure")?;
        let (name, pid) = line.split_once(' ').with_context(|| format!("unexpected line {line:?}"))?;
        let bytes = memory::of_tree(pid.parse().context("a process id")?)?;
        measured.push((name.to_owned(), megabytes(bytes)));
        writeln!(input).context("continue tray-memory")?;
    }
    let status = child.wait().context("wait for tray-memory")?;
    leftovers::end();
    let memory_of =
        |name: &str| measured.iter().find(|(found, _)| found == name).map(|(_, megabytes)| *megabytes);
    let (Some(hidden), Some(closed), Some(bare)) =
        (memory_of("hidden"), memory_of("closed"), memory_of("bare"))
    else {
        bail!("the app was not measured in the tray ({status})");
    };
    Ok([
        compare("memory in the tray after a hidden start", hidden, bare),
        compare("memory in the tray with its window closed", closed, bare),
    ])
}

/// Returns a figure without a goal.
fn compare(name: &str, ours: f64, bare: f64) -> Figure {
    let text = format!("{ours:.0} MB, {:.2} times the bare runtime ({bare:.0} MB)", ours / bare);
    Figure::new(name, text).with_value(ours)
}
