//! Accessibility checks of a page with axe-core.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Page, paths};

/// The rules to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    All,
    /// The only rules whose results depend on the theme
    AboutColours,
}

impl Rules {
    /// axe's option `runOnly`.
    fn run_only(self) -> Value {
        match self {
            Self::All => Value::Null,
            Self::AboutColours => json!(["color-contrast", "link-in-text-block"]),
        }
    }
}

/// Runs axe and returns its definite violations, one line for each rule. Results that axe marks as incomplete are left
/// out.
pub async fn violations(page: &Page, rules: Rules) -> Result<Vec<String>> {
    let file = paths::repository().join("ui/node_modules/axe-core/axe.min.js");
    if page.script("return typeof window.axe").await? == "undefined" {
        let source = std::fs::read_to_string(&file)
            .with_context(|| format!("{} is missing; run `npm ci` in ui", file.display()))?;
        page.script(&source).await?;
    }
    let found = page
        .session()
        .execute_async(
            "const done = arguments[arguments.length - 1];
             const element = (node) => `${node.target.join(' ')}: ${node.failureSummary}`;
             const line = (rule) => `${rule.id}: ${rule.help} (${rule.nodes.map(element).join('; ')})`;
             window.axe.run(document, { resultTypes: ['violations'], runOnly: arguments[0] ?? undefined }).then(
               (results) => done(results.violations.map(line)),
               (error) => done([`axe: ${error}`]),
             );",
            vec![rules.run_only()],
        )
        .await
        .context("cannot run axe")?;
    serde_json::from_value(found.json().clone()).context("unexpected result from axe")
}
