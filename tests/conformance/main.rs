//! The public conformance suite, with one test for each required scenario, and for each scenario of an authorization
//! extension. A test passes if the suite exits with
//! 0 and did not skip the scenario.
//!
//! The tested client, `conformance-client`, uses the engine's public API. `package-lock.json` pins the suite.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use usher_tests::paths;

/// The required revisions of MCP, each with its number of client scenarios.
const REQUIRED: [(&str, usize); 2] = [("2026-07-28", 32), ("2025-11-25", 18)];

/// Scenarios of the first authorization specification, which has no protected resource metadata.
const BACKCOMPAT: [(&str, &str); 2] = [
    ("2025-03-26", "auth/2025-03-26-oauth-metadata-backcompat"),
    ("2025-03-26", "auth/2025-03-26-oauth-endpoint-fallback"),
];

/// The revisions with which the scenarios of extensions run.
const EXTENSION_REVISIONS: [&str; 2] = ["2026-07-28", "2025-11-25"];

/// Scenarios of the authorization extensions.
const EXTENSIONS: [&str; 6] = [
    "auth/client-credentials-jwt",
    "auth/client-credentials-basic",
    "auth/wif-jwt-bearer",
    "auth/enterprise-managed-authorization",
    "auth/dpop",
    "auth/dpop-nonce",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match &arguments.filter {
        // A runner that starts each test in its own process passes the full name, so no list is needed.
        Some(name) if arguments.exact => {
            name.split_once("::").map(|(version, scenario)| vec![trial(version, scenario)])
        }
        _ => None,
    };
    let trials = trials.unwrap_or_else(|| match all() {
        Ok(trials) => trials,
        Err(error) => {
            vec![Trial::test("the_required_scenarios_are_listed", move || Err(format!("{error:#}").into()))]
        }
    });
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn all() -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for (version, count) in REQUIRED {
        let scenarios = required(version)?;
        anyhow::ensure!(
            scenarios.len() == count,
            "{version} requires {} client scenarios instead of {count}; the suite may have changed",
            scenarios.len()
        );
        trials.extend(scenarios.iter().map(|scenario| trial(version, scenario)));
    }
    for version in EXTENSION_REVISIONS {
        trials.extend(EXTENSIONS.iter().map(|scenario| trial(version, scenario)));
    }
    trials.extend(BACKCOMPAT.iter().map(|(version, scenario)| trial(version, scenario)));
    Ok(trials)
}

fn trial(version: &str, scenario: &str) -> Trial {
    let (version, scenario) = (version.to_owned(), scenario.to_owned());
    Trial::test(format!("{version}::{scenario}"), move || run(&version, &scenario))
}

/// The client scenarios that a revision requires, listed by the suite.
fn required(version: &str) -> Result<Vec<String>> {
    let output = suite()?.args(["list", "--requirements", version]).output().context("run the suite")?;
    anyhow::ensure!(
        output.status.success(),
        "the suite could not list its scenarios: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let listed = String::from_utf8(output.stdout)?;
    Ok(listed
        .lines()
        .skip_while(|line| !line.starts_with("Client scenarios"))
        // The heading.
        .skip(1)
        .map_while(|line| line.trim().strip_prefix("- ").map(str::to_owned))
        .collect())
}

fn run(version: &str, scenario: &str) -> Result<(), Failed> {
    let results = tempfile::tempdir()?;
    // The suite runs the scenarios of extensions with a revision only if it is forced to.
    let force = EXTENSIONS.contains(&scenario).then_some("--force");
    let output = suite()?
        .arg("client")
        .arg("--command")
        .arg(paths::conformance_client()?)
        .args(["--scenario", scenario, "--spec-version", version, "--timeout", "30000"])
        .args(force)
        .arg("--output-dir")
        .arg(results.path())
        .output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    // The suite exits with 0 when it skips a scenario of another version, but then nothing was tested.
    if output.status.success() && !text.contains("SKIPPED: scenario") {
        return Ok(());
    }
    Err(text.into_owned().into())
}

fn suite() -> Result<Command> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/node_modules");
    let node: PathBuf = modules.join("node/bin/node");
    anyhow::ensure!(node.is_file(), "{} is missing; run `npm ci` in tests/conformance", node.display());
    let mut command = Command::new(node);
    command.arg(modules.join("@modelcontextprotocol/conformance/dist/index.js"));
    Ok(command)
}
