//! The npm packages inside the UI: those that Vite lists in its build, and those that Vite does not see.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use walkdir::WalkDir;

use super::{Component, licence, texts};
use crate::repository::Repository;

/// Vite's list of the packages in the build (`build.license` in ui/vite.config.ts).
const LIST: &str = "ui/dist/licences.json";

/// Packages that copy their own code into the sources that they generate, and the packages in the page's worker, which
/// Vite builds separately and does not list.
const UNLISTED: [&str; 2] = ["@inlang/paraglide-js", "marked"];

/// Returns the packages, sorted by name and version.
pub fn read(repository: &Repository) -> Result<Vec<Component>> {
    let list = fs::read_to_string(repository.path(LIST))
        .with_context(|| format!("read {LIST}: rebuild the UI (npm --prefix ui run build)"))?;
    let list: Vec<Value> = serde_json::from_str(&list).with_context(|| format!("parse {LIST}"))?;
    let modules = repository.path("ui/node_modules");
    let mut components = BTreeMap::new();
    for package in &list {
        let component = bundled(&modules, package).with_context(|| format!("{LIST}: {package}"))?;
        components.insert((component.name.clone(), component.version.clone()), component);
    }
    let mut unlisted: Vec<String> = UNLISTED.map(str::to_owned).to_vec();
    for sheet in sheets(&repository.path("ui/src"))? {
        unlisted.extend(used_by(&sheet));
    }
    for name in unlisted {
        let component = installed(&modules, &name).with_context(|| format!("the notices of npm's {name}"))?;
        components.entry((component.name.clone(), component.version.clone())).or_insert(component);
    }
    Ok(components.into_values().collect())
}

/// Completes a package of the list, which has only one licence text per package. The installed package has all texts,
/// and is used if it has the same version.
fn bundled(modules: &Path, listed: &Value) -> Result<Component> {
    let (name, version) = (field(listed, "name")?, field(listed, "version")?);
    let component = installed(modules, name)?;
    if component.version == version {
        return Ok(component);
    }
    let texts: Vec<String> = listed["text"].as_str().map(texts::normalize).into_iter().collect();
    Ok(Component {
        version: version.to_owned(),
        licence: licence(&listed["identifier"], &texts)?,
        texts,
        ..component
    })
}

fn installed(modules: &Path, name: &str) -> Result<Component> {
    let manifest = manifest(modules, name)?;
    let texts = texts::read(&modules.join(name))?;
    Ok(Component {
        name: name.to_owned(),
        version: field(&manifest, "version")?.to_owned(),
        licence: licence(&manifest["license"], &texts)?,
        source: source(&manifest),
        texts,
    })
}

fn manifest(modules: &Path, name: &str) -> Result<Value> {
    let text = fs::read_to_string(modules.join(name).join("package.json")).context("read package.json")?;
    serde_json::from_str(&text).context("parse package.json")
}

fn field<'a>(package: &'a Value, field: &str) -> Result<&'a str> {
    package[field].as_str().with_context(|| format!("it has no {field}"))
}

/// The address of the source. npm allows git prefixes, and "owner/name" for GitHub.
fn source(manifest: &Value) -> String {
    let repository = &manifest["repository"];
    let written = repository["url"].as_str().or(repository.as_str()).unwrap_or("npm");
    let address = written.trim_start_matches("git+").trim_end_matches(".git");
    let address = address.replacen("git://", "https://", 1);
    let address = address.replacen("ssh://git@", "https://", 1).replacen("github:", "", 1);
    let is_short = address.contains('/') && !address.contains(':');
    if is_short { format!("https://github.com/{address}") } else { address }
}

/// The texts of the style sheets below a folder.
fn sheets(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in WalkDir::new(folder) {
        let path = entry?.into_path();
        if path.extension().is_some_and(|extension| extension == "css" || extension == "svelte") {
            texts.push(fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?);
        }
    }
    Ok(texts)
}

/// The packages whose styles a sheet imports: `@import "tailwindcss/theme.css"`, `@plugin "@scope/name"`.
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
    fn addresses_are_converted_for_browsers() {
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
    fn packages_are_read_from_style_sheets() {
        let sheet = "@import \"tailwindcss\" source(none);\n  @import 'tailwindcss/theme.css' layer(theme);\n\
                     @import \"./forms.css\";\n@plugin \"daisyui/theme\" {\n}\n@plugin \"@scope/name/part\";\n\
                     @import \"https://example.com/x.css\";\n.import { color: red }\n";
        assert_eq!(used_by(sheet), ["tailwindcss", "tailwindcss", "daisyui", "@scope/name"]);
    }
}
