//! The table at the end of a test run: one line per step, then the totals.

use std::fmt;
use std::time::Duration;

use crate::junit::Counts;

pub struct StepResult {
    pub name: String,
    pub counts: Counts,
    pub elapsed: Duration,
}

#[derive(Default)]
pub struct Summary(Vec<StepResult>);

impl Summary {
    pub fn push(&mut self, result: StepResult) {
        self.0.push(result);
    }

    pub fn counts(&self) -> Counts {
        self.0.iter().fold(Counts::default(), |sum, step| sum + step.counts)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<12} {:>7} {:>7} {:>8} {:>9}", "step", "passed", "failed", "skipped", "time")?;
        for StepResult { name, counts, elapsed } in &self.0 {
            let seconds = elapsed.as_secs_f64();
            let Counts { passed, failed, skipped } = counts;
            writeln!(out, "{name:<12} {passed:>7} {failed:>7} {skipped:>8} {seconds:>7.1} s")?;
        }
        let Counts { passed, failed, skipped } = self.counts();
        write!(out, "\nusher: {passed} passed, {failed} failed")?;
        if skipped > 0 { write!(out, ", {skipped} skipped") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, counts: Counts, seconds: u64) -> StepResult {
        StepResult { name: name.into(), counts, elapsed: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_last_line_is_the_sum() {
        let mut summary = Summary::default();
        summary.push(step("format", Counts::check(true), 1));
        summary.push(step("rust", Counts { passed: 310, failed: 2, skipped: 0 }, 62));
        assert_eq!(
            summary.to_string(),
            "step          passed  failed  skipped      time\n\
             format             1       0        0     1.0 s\n\
             rust             310       2        0    62.0 s\n\
             \n\
             usher: 311 passed, 2 failed"
        );
    }

    #[test]
    fn skipped_tests_are_listed() {
        let mut summary = Summary::default();
        summary.push(step("ui", Counts { passed: 4, failed: 0, skipped: 1 }, 3));
        assert!(summary.to_string().ends_with("\nusher: 4 passed, 0 failed, 1 skipped"));
    }
}
