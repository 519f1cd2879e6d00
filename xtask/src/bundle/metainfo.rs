//! The AppStream metadata that software centres show, made from the texts of `tauri.conf.json`.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::repository::Repository;

/// The file name below `/usr/share/metainfo`. AppStream requires it to begin with the id of the app.
pub const FILE: &str = "dev.usher.desktop.metainfo.xml";

pub fn make(repository: &Repository) -> Result<String> {
    let file = "src-tauri/tauri.conf.json";
    let config = fs::read_to_string(repository.path(file)).with_context(|| format!("read {file}"))?;
    let config: Value = serde_json::from_str(&config).with_context(|| format!("parse {file}"))?;
    text(&config)
}

/// Returns the metadata. It lists no releases and no web page, because there are none yet.
fn text(config: &Value) -> Result<String> {
    let bundle = &config["bundle"];
    let name = escaped(&config["productName"])?;
    let id = escaped(&config["identifier"])?;
    let scheme = escaped(&config["plugins"]["deep-link"]["desktop"]["schemes"][0])?;
    let program = escaped(&config["mainBinaryName"])?;
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<component type="desktop-application">
  <id>{id}</id>
  <metadata_license>MIT</metadata_license>
  <project_license>{licence}</project_license>
  <name>{name}</name>
  <summary>{summary}</summary>
  <developer_name>{developer}</developer_name>
  <description>
    <p>{description}</p>
  </description>
  <categories>
    <category>Development</category>
  </categories>
  <launchable type="desktop-id">{name}.desktop</launchable>
  <icon type="stock">{program}</icon>
  <provides>
    <binary>{program}</binary>
    <binary>usher</binary>
    <mediatype>x-scheme-handler/{scheme}</mediatype>
  </provides>
  <recommends>
    <internet>always</internet>
  </recommends>
  <supports>
    <control>pointing</control>
    <control>keyboard</control>
  </supports>
  <content_rating type="oars-1.1"/>
</component>
"#,
        licence = escaped(&bundle["license"])?,
        summary = escaped(&bundle["shortDescription"])?,
        developer = escaped(&bundle["publisher"])?,
        description = escaped(&bundle["longDescription"])?.replace('\n', " "),
    ))
}

fn escaped(value: &Value) -> Result<String> {
    let text = value.as_str().context("src-tauri/tauri.conf.json lacks a text for the AppStream metadata")?;
    Ok(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_contains_the_texts_of_the_packages() {
        let text = make(&Repository::find().expect("the repository")).expect("the text");
        assert!(text.contains("<id>dev.usher.desktop</id>\n"), "{text}");
        assert!(FILE.starts_with("dev.usher.desktop."), "{FILE}");
        assert!(text.contains("keeps you signed in, and notifies you when you need to act."), "{text}");
    }

    #[test]
    fn markup_is_escaped_and_a_missing_text_is_an_error() {
        assert_eq!(escaped(&"a < b & c".into()).expect("text"), "a &lt; b &amp; c");
        assert!(text(&Value::Null).is_err());
    }
}
