//! The notices of the works of others inside the programs: whose they are, under which licences, and the texts of those.

mod crates;
mod packages;
mod texts;

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::repository::Repository;

/// A work of somebody else that is inside the programs.
pub struct Part {
    name: String,
    version: String,
    /// Its own words, mostly an SPDX expression.
    licence: String,
    /// Where its source lies, for the licences that want this said.
    source: String,
    /// Whatever its source says about its licence; nothing where it ships no such file.
    texts: Vec<String>,
}

/// All of it as one text, the same for the same lock files and toolchain.
pub fn make(repository: &Repository) -> Result<String> {
    let crates = crates::read(repository)?;
    let packages = packages::read(repository)?;
    Ok(text(&[("Inside the programs: Rust", crates), ("Inside the window's pages: npm", packages)]))
}

/// What a manifest says, or that only the texts say it. Nothing that says neither may be packed.
fn licence(said: &Value, texts: &[String]) -> Result<String> {
    match said.as_str() {
        Some(licence) => Ok(licence.to_owned()),
        None if !texts.is_empty() => Ok("licence: see its text".to_owned()),
        None => bail!("it has no licence"),
    }
}

const BEGINNING: &str = "THIRD-PARTY NOTICES

Usher contains works of others, each under its own licence. Below stands every one of them with its version, its
licence in its own words, and where its source can be had. The numbers lead to the texts at the end. A work without
numbers ships no text with its source; its licence is the one that is named.
";

/// A text that many share stands there once.
fn text(chapters: &[(&str, Vec<Part>)]) -> String {
    let mut numbers = BTreeMap::new();
    let mut texts = Vec::new();
    let mut page = BEGINNING.to_owned();
    for (title, parts) in chapters {
        let _ = write!(page, "\n{}\n", heading(title));
        for part in parts {
            let _ = write!(page, "\n{} {}\n    {}\n", part.name, part.version, part.licence);
            let _ = writeln!(page, "    {}", part.source);
            let mut of_part: Vec<String> = Vec::new();
            for text in &part.texts {
                let number = *numbers.entry(text.as_str()).or_insert_with(|| {
                    texts.push(text.as_str());
                    texts.len()
                });
                of_part.push(format!("[{number}]"));
            }
            if !of_part.is_empty() {
                let _ = writeln!(page, "    {}", of_part.join(" "));
            }
        }
    }
    let _ = write!(page, "\n{}\n", heading("The texts"));
    for (index, text) in texts.iter().enumerate() {
        let _ = write!(page, "\n{}\n\n{text}\n", heading(&format!("[{}]", index + 1)));
    }
    page
}

fn heading(title: &str) -> String {
    format!("==== {title} {}", "=".repeat(70 - title.chars().count().min(60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, texts: &[&str]) -> Part {
        Part {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            source: format!("https://example.com/{name}"),
            texts: texts.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    #[test]
    fn a_work_without_any_licence_is_refused() {
        assert_eq!(licence(&"MIT".into(), &[]).expect("a licence"), "MIT");
        assert_eq!(licence(&Value::Null, &["May.".to_owned()]).expect("a text"), "licence: see its text");
        assert!(licence(&Value::Null, &[]).is_err());
    }

    #[test]
    fn a_shared_text_stands_there_once_and_a_missing_one_is_not_invented() {
        let chapters = [
            ("One", vec![part("a", &["First.", "Second."]), part("b", &["Second."])]),
            ("Two", vec![part("c", &[]), part("d", &["Third.", "First."])]),
        ];
        let text = text(&chapters);
        let below = text.strip_prefix(BEGINNING).expect("the beginning");
        let without_rules: Vec<&str> =
            below.lines().map(|line| line.trim_matches(['=', ' '])).filter(|line| !line.is_empty()).collect();
        let expected = [
            ["One"].as_slice(),
            &["a 1.0.0", "MIT", "https://example.com/a", "[1] [2]"],
            &["b 1.0.0", "MIT", "https://example.com/b", "[2]"],
            &["Two"],
            &["c 1.0.0", "MIT", "https://example.com/c"],
            &["d 1.0.0", "MIT", "https://example.com/d", "[3] [1]"],
            &["The texts", "[1]", "First.", "[2]", "Second.", "[3]", "Third."],
        ];
        assert_eq!(without_rules, expected.concat());
    }
}
