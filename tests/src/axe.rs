//! Accessibility checks of a page with axe-core.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{Page, paths};

/// A rule that the page violates, and the elements that violate it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Violation {
    pub id: String,
    pub help: String,
    /// The selector and the reason, one entry per element.
    pub elements: Vec<String>,
}

/// Runs axe and returns its definite violations. Results that axe marks as incomplete are left out.
pub async fn violations(page: &Page) -> Result<Vec<Violation>> {
    let file = paths::repository().join("ui/node_modules/axe-core/axe.min.js");
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
        .context("cannot run axe")?;
    serde_json::from_value(found.json().clone()).context("unexpected result from axe")
}
