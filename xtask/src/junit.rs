//! Counts of tests: at the head of a JUnit report, as nextest and vitest write it, or in a closing line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// How many tests passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Counts {
    /// A closing line of the form "12 passed, 0 failed".
    pub fn from_closing_line(line: &str) -> Option<Self> {
        let (passed, failed) = line.trim().split_once(", ")?;
        let passed = passed.strip_suffix(" passed")?.parse().ok()?;
        let failed = failed.strip_suffix(" failed")?.parse().ok()?;
        Some(Self { passed, failed, skipped: 0 })
    }

    /// One check that either holds or does not.
    pub fn check(holds: bool) -> Self {
        Self { passed: u32::from(holds), failed: u32::from(!holds), skipped: 0 }
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
    let text = fs::read_to_string(report).with_context(|| format!("read {}", report.display()))?;
    parse(&text).with_context(|| format!("{} has no counts", report.display()))
}

/// Sums the suites: nextest leaves skipped tests out of its head, vitest counts them in each suite only.
fn parse(text: &str) -> Option<Counts> {
    let head = tags(text, "<testsuites").next()?;
    let tests = number(head, "tests")?;
    let failed = number(head, "failures")? + number(head, "errors")?;
    let skipped = tags(text, "<testsuite ").filter_map(|tag| number(tag, "skipped")).sum();
    Some(Counts { passed: tests.saturating_sub(failed + skipped), failed, skipped })
}

/// What stands between each opening of the tag and the first `>` after it.
fn tags<'a>(text: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
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
    fn nextest() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="0" uuid="5" timestamp="2026-11-21" time="0.1">
    <testsuite name="usher-oauth" tests="3" disabled="0" errors="0" failures="1">"#;
        assert_eq!(parse(report), Some(Counts { passed: 2, failed: 1, skipped: 0 }));
    }

    #[test]
    fn vitest() {
        let report = r#"<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests" tests="5" failures="0" errors="0" time="0.4">
    <testsuite name="a.test.ts" timestamp="2026" hostname="h" tests="3" failures="0" errors="0" skipped="1" time="0.1">
    <testsuite name="b.test.ts" timestamp="2026" hostname="h" tests="2" failures="0" errors="0" skipped="0" time="0.1">"#;
        assert_eq!(parse(report), Some(Counts { passed: 4, failed: 0, skipped: 1 }));
    }

    #[test]
    fn closing_lines() {
        let counts = Counts { passed: 176, failed: 2, skipped: 0 };
        assert_eq!(Counts::from_closing_line("176 passed, 2 failed"), Some(counts));
        assert_eq!(Counts::from_closing_line("gallery: 176 passed, 2 failed"), None);
        assert_eq!(Counts::from_closing_line("176 passed"), None);
    }

    #[test]
    fn anything_else_has_no_counts() {
        assert_eq!(parse("Segmentation fault"), None);
        assert_eq!(parse("<testsuites name=\"cut off"), None);
    }
}
