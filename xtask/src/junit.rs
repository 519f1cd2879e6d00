//! Test counts, read from the JUnit report of nextest or vitest, or from the last line of a test run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The numbers of passed, failed and skipped tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Counts {
    /// Reads a line of the form "12 passed, 0 failed".
    pub fn from_last_line(line: &str) -> Option<Self> {
        let (passed, failed) = line.trim().split_once(", ")?;
        let passed = passed.strip_suffix(" passed")?.parse().ok()?;
        let failed = failed.strip_suffix(" failed")?.parse().ok()?;
        Some(Self { passed, failed, skipped: 0 })
    }

    /// One check that passed or failed.
    pub fn check(passed: bool) -> Self {
        Self { passed: u32::from(passed), failed: u32::from(!passed), skipped: 0 }
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

pub fn read(report: &Path) -> Result<Counts> {
    let text = fs::read_to_string(report).with_context(|| format!("could not read {}", report.display()))?;
    parse(&text).with_context(|| format!("could not find the totals in {}", report.display()))
}

/// Reads the totals. Skipped tests are summed over the suites, because the reports contain no total of them.
fn parse(text: &str) -> Option<Counts> {
    let head = tags(text, "<testsuites").next()?;
    let tests = number(head, "tests")?;
    let failed = number(head, "failures")? + number(head, "errors")?;
    // The space excludes `<testsuites`.
    let skipped = tags(text, "<testsuite ").filter_map(|tag| number(tag, "skipped")).sum();
    Some(Counts { passed: tests.saturating_sub(failed + skipped), failed, skipped })
}

/// Returns the attributes of each tag that begins with `opening`.
fn tags<'a>(text: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
    // The first part is the text before the first tag.
    text.split(opening).skip(1).filter_map(|rest| rest.split('>').next())
}

fn number(tag: &str, attribute: &str) -> Option<u32> {
    let (_, rest) = tag.split_once(&format!(" {attribute}=\""))?;
    rest.split('"').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_of_a_nextest_report_are_read() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="0" uuid="5" timestamp="2026-11-21" time="0.1">
    <testsuite name="usher-oauth" tests="3" disabled="0" errors="0" failures="1">"#;
        assert_eq!(parse(report), Some(Counts { passed: 2, failed: 1, skipped: 0 }));
    }

    #[test]
    fn the_skipped_tests_of_a_vitest_report_are_summed() {
        let report = r#"<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests" tests="5" failures="0" errors="0" time="0.4">
    <testsuite name="a.test.ts" timestamp="2026" hostname="h" tests="3" failures="0" errors="0" skipped="1" time="0.1">
    <testsuite name="b.test.ts" timestamp="2026" hostname="h" tests="2" failures="0" errors="0" skipped="0" time="0.1">"#;
        assert_eq!(parse(report), Some(Counts { passed: 4, failed: 0, skipped: 1 }));
    }

    #[test]
    fn only_a_complete_last_line_has_counts() {
        let counts = Counts { passed: 176, failed: 2, skipped: 0 };
        assert_eq!(Counts::from_last_line("176 passed, 2 failed"), Some(counts));
        assert_eq!(Counts::from_last_line("gallery: 176 passed, 2 failed"), None);
        assert_eq!(Counts::from_last_line("176 passed"), None);
    }

    #[test]
    fn other_text_has_no_counts() {
        assert_eq!(parse("Segmentation fault"), None);
        assert_eq!(parse("<testsuites name=\"cut off"), None);
    }
}
