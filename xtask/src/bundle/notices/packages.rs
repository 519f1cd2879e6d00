//! The npm packages inside the window's pages: what Vite noted when it built them, and what it does not see.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Part, licence, texts};
use crate::repository::Repository;

/// Where Vite writes down which modules of which packages it packed (`build.license` in ui/vite.config.ts).
const NOTED: &str = "ui/dist/licences.json";

/// Writes code of its own into the pages' sources.
const GENERATORS: [&str; 1] = ["@inlang/paraglide-js"];

/// By name. What Vite noted stands in its own version; the same package may lie elsewhere in another one.
pub fn read(repository: &Repository) -> Result<Vec<Part>> {
    let noted = fs::read_to_string(repository.path(NOTED)).with_context(|| {
        format!("read {NOTED}: build the window's pages anew (npm --prefix ui run build)")
    })?;
    let noted: Vec<Value> = serde_json::from_str(&noted).with_context(|| format!("understand {NOTED}"))?;
    let modules = repository.path("ui/node_modules");
    let mut parts = BTreeMap::new();
    for package in &noted {
        let part = packed(&modules, package).with_context(|| format!("{NOTED}: {package}"))?;
        parts.insert((part.name.clone(), part.version.clone()), part);
    }
    let mut unseen: Vec<String> = GENERATORS.map(str::to_owned).to_vec();
    for sheet in sheets(&repository.path("ui/src"))? {
        unseen.extend(used_by(&sheet));
    }
    for name in unseen {
        let part = installed(&modules, &name).with_context(|| format!("the notices of npm's {name}"))?;
        parts.entry((part.name.clone(), part.version.clone())).or_insert(part);
    }
    Ok(parts.into_values().collect())
}

/// Vite notes one text alone; the rest lies with the package, where that is the one that is installed under its name.
fn packed(modules: &Path, noted: &Value) -> Result<Part> {
    let (name, version) = (word(noted, "name")?, word(noted, "version")?);
    let part = installed(modules, name)?;
    if part.version == version {
        return Ok(part);
    }
    let texts: Vec<String> = noted["text"].as_str().map(texts::even).into_iter().collect();
    Ok(Part { version: version.to_owned(), licence: licence(&noted["identifier"], &texts)?, texts, ..part })
}

fn installed(modules: &Path, name: &str) -> Result<Part> {
    let manifest = manifest(modules, name)?;
    let texts = texts::of(&modules.join(name))?;
    Ok(Part {
        name: name.to_owned(),
        version: word(&manifest, "version")?.to_owned(),
        licence: licence(&manifest["license"], &texts)?,
        source: source(&manifest),
        texts,
    })
}

fn manifest(modules: &Path, name: &str) -> Result<Value> {
    let text = fs::read_to_string(modules.join(name).join("package.json")).context("read package.json")?;
    serde_json::from_str(&text).context("understand package.json")
}

fn word<'a>(package: &'a Value, field: &str) -> Result<&'a str> {
    package[field].as_str().with_context(|| format!("it has no {field}"))
}

/// npm takes an address with git's prefixes, and "owner/name" for GitHub.
fn source(manifest: &Value) -> String {
    let repository = &manifest["repository"];
    let written = repository["url"].as_str().or(repository.as_str()).unwrap_or("npm");
    let address = written.trim_start_matches("git+").trim_end_matches(".git");
    let address = address.replacen("git://", "https://", 1);
    let address = address.replacen("ssh://git@", "https://", 1).replacen("github:", "", 1);
    let is_short = address.contains('/') && !address.contains(':');
    if is_short { format!("https://github.com/{address}") } else { address }
}

/// The style sheets, with their text.
fn sheets(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("look into {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            texts.extend(sheets(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "css" || ending == "svelte") {
            texts.push(fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?);
        }
    }
    Ok(texts)
}

/// The packages whose styles a sheet takes in: `@import "tailwindcss/theme.css"`, `@plugin "@scope/name"`.
fn used_by(sheet: &str) -> Vec<String> {
    let words = sheet.lines().filter_map(|line| {
        let rest = line.trim().strip_prefix("@import ").or_else(|| line.trim().strip_prefix("@plugin "))?;
        rest.trim_start().strip_prefix(['"', '\''])?.split(['"', '\'']).next()
    });
    let packages = words.filter(|word| !word.starts_with(['.', '/']) && !word.contains(':'));
    packages.map(package_of).collect()
}

fn package_of(word: &str) -> String {
    let folders = if word.starts_with('@') { 2 } else { 1 };
    word.split('/').take(folders).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_as_a_browser_takes_them() {
        let source = |repository: Value| source(&serde_json::json!({ "repository": repository }));
        let whole = "https://github.com/owner/name";
        for written in [
            "git+https://github.com/owner/name.git",
            "git+ssh://git@github.com/owner/name.git",
            "git://github.com/owner/name",
            "github:owner/name",
            "owner/name",
        ] {
            assert_eq!(source(written.into()), whole, "{written}");
            assert_eq!(source(serde_json::json!({ "url": written })), whole, "{written}");
        }
        assert_eq!(source(Value::Null), "npm");
    }

    #[test]
    fn sheets_name_packages() {
        let sheet = "@import \"tailwindcss\" source(none);\n  @import 'tailwindcss/theme.css' layer(theme);\n\
                     @import \"./forms.css\";\n@plugin \"daisyui/theme\" {\n}\n@plugin \"@scope/name/part\";\n\
                     @import \"https://example.com/x.css\";\n.import { color: red }\n";
        assert_eq!(used_by(sheet), ["tailwindcss", "tailwindcss", "daisyui", "@scope/name"]);
    }
}
