//! axe-core in the page: what a person who cannot see it or use a mouse would stumble over.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{Page, place};

/// One rule that the page breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Violation {
    pub id: String,
    pub help: String,
    /// One selector and the reason for each element.
    pub elements: Vec<String>,
}

/// Runs every rule of axe that finds faults with certainty.
pub async fn violations(page: &Page) -> Result<Vec<Violation>> {
    let file = place::repository().join("ui/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(&file)
        .with_context(|| format!("{} is missing; run `npm ci` in ui", file.display()))?;
    page.script(&format!("{source}\nreturn typeof window.axe"), Vec::new()).await?;
    let found = page
        .session()
        .execute_async(
            "const done = arguments[arguments.length - 1];
             window.axe.run(document, { resultTypes: ['violations'] }).then(
               (results) => done(results.violations.map((violation) => ({
                 id: violation.id,
                 help: violation.help,
                 elements: violation.nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
               }))),
               (error) => done([{ id: 'axe', help: String(error), elements: [] }]),
             );",
            Vec::new(),
        )
        .await
        .context("axe did not run")?;
    serde_json::from_value(found.json().clone()).context("axe answered in another form")
}
