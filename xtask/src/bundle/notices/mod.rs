//! The third-party notices: every component inside the programs, with its licence and the licence texts.

mod crates;
mod packages;
mod texts;

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::repository::Repository;

/// A third-party component inside the programs.
pub struct Component {
    name: String,
    version: String,
    /// The licence as the component states it, usually an SPDX expression.
    licence: String,
    /// The address of its source, which some licences require.
    source: String,
    /// The licence files of its source; empty if there are none.
    texts: Vec<String>,
}

/// The notices as one text, reproducible for the same lock files and toolchain.
pub fn make(repository: &Repository) -> Result<String> {
    let crates = crates::read(repository)?;
    let packages = packages::read(repository)?;
    Ok(text(&[("Inside the programs: Rust", crates), ("Inside the window's pages: npm", packages)]))
}

/// The licence from the manifest, or a reference to the texts. A component with neither must not be packaged.
fn licence(stated: &Value, texts: &[String]) -> Result<String> {
    match stated.as_str() {
        Some(licence) => Ok(licence.to_owned()),
        None if !texts.is_empty() => Ok("licence: see its text".to_owned()),
        None => bail!("it has no licence"),
    }
}

const INTRODUCTION: &str = "THIRD-PARTY NOTICES

Usher contains third-party software, each component under its own licence. This file lists every component with its
version, its licence as the component states it, and the address of its source. The numbers refer to the texts at the
end. A component without numbers has no licence file in its source; the named licence applies.
";

/// The whole text. A licence text that several components share is printed once.
fn text(chapters: &[(&str, Vec<Component>)]) -> String {
    let mut numbers = BTreeMap::new();
    let mut texts = Vec::new();
    let mut output = INTRODUCTION.to_owned();
    for (title, components) in chapters {
        let _ = write!(output, "\n{}\n", heading(title));
        for component in components {
            let _ = write!(output, "\n{} {}\n    {}\n", component.name, component.version, component.licence);
            let _ = writeln!(output, "    {}", component.source);
            let mut references: Vec<String> = Vec::new();
            for text in &component.texts {
                let number = *numbers.entry(text.as_str()).or_insert_with(|| {
                    texts.push(text.as_str());
                    texts.len()
                });
                references.push(format!("[{number}]"));
            }
            if !references.is_empty() {
                let _ = writeln!(output, "    {}", references.join(" "));
            }
        }
    }
    let _ = write!(output, "\n{}\n", heading("The texts"));
    for (index, text) in texts.iter().enumerate() {
        let _ = write!(output, "\n{}\n\n{text}\n", heading(&format!("[{}]", index + 1)));
    }
    output
}

fn heading(title: &str) -> String {
    format!("==== {title} {}", "=".repeat(70 - title.chars().count().min(60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, texts: &[&str]) -> Component {
        Component {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            source: format!("https://example.com/{name}"),
            texts: texts.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    #[test]
    fn a_component_without_a_licence_is_an_error() {
        assert_eq!(licence(&"MIT".into(), &[]).expect("a licence"), "MIT");
        assert_eq!(licence(&Value::Null, &["May.".to_owned()]).expect("a text"), "licence: see its text");
        assert!(licence(&Value::Null, &[]).is_err());
    }

    #[test]
    fn a_shared_text_is_printed_once() {
        let chapters = [
            ("One", vec![component("a", &["First.", "Second."]), component("b", &["Second."])]),
            ("Two", vec![component("c", &[]), component("d", &["Third.", "First."])]),
        ];
        let text = text(&chapters);
        let body = text.strip_prefix(INTRODUCTION).expect("the introduction");
        let lines: Vec<&str> =
            body.lines().map(|line| line.trim_matches(['=', ' '])).filter(|line| !line.is_empty()).collect();
        let expected = [
            ["One"].as_slice(),
            &["a 1.0.0", "MIT", "https://example.com/a", "[1] [2]"],
            &["b 1.0.0", "MIT", "https://example.com/b", "[2]"],
            &["Two"],
            &["c 1.0.0", "MIT", "https://example.com/c"],
            &["d 1.0.0", "MIT", "https://example.com/d", "[3] [1]"],
            &["The texts", "[1]", "First.", "[2]", "Second.", "[3]", "Third."],
        ];
        assert_eq!(lines, expected.concat());
    }
}
