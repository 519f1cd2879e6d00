//! The size of the files that the window loads before its first screen: the page, its scripts and its styles.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::figure::Figure;

const GOAL: f64 = 100.0;

pub fn measure(dist: &Path) -> Result<Figure> {
    let page = fs::read_to_string(dist.join("index.html")).context("read ui/dist/index.html")?;
    let mut plain = page.len();
    let mut compressed = gzip_size(page.as_bytes())?;
    for name in loaded_at_start(&page) {
        let content = fs::read(dist.join(name)).with_context(|| format!("read ui/dist/{name}"))?;
        plain += content.len();
        compressed += gzip_size(&content)?;
    }
    let [plain, compressed] = [plain, compressed].map(|bytes| bytes as f64 / 1000.0);
    let measured = format!("{compressed:.1} kB gzip ({plain:.0} kB)");
    let figure = Figure::new("UI bundle at start", measured).with_value(compressed);
    Ok(figure.with_goal(format!("≤ {GOAL} kB gzip"), compressed <= GOAL))
}

/// The files that the page loads at the start. Vite lists the imports of the entry as `modulepreload`, so only files
/// that are loaded later are missing.
fn loaded_at_start(page: &str) -> Vec<&str> {
    let mut names: Vec<&str> = page
        .split(['<', '>'])
        .filter(|tag| tag.starts_with("script ") || is_loaded_link(tag))
        .filter_map(|tag| attribute(tag, "src").or_else(|| attribute(tag, "href")))
        .map(|address| address.trim_start_matches("./").trim_start_matches('/'))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn is_loaded_link(tag: &str) -> bool {
    tag.starts_with("link ") && matches!(attribute(tag, "rel"), Some("stylesheet" | "modulepreload"))
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

fn gzip_size(content: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).context("compress")?;
    Ok(encoder.finish().context("compress")?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_from_the_page() {
        let page = r#"<!doctype html><link rel="icon" href="/usher.svg" />
            <script type="module" crossorigin src="/assets/index-1.js"></script>
            <link rel="modulepreload" crossorigin href="./assets/view-2.js">
            <link rel="stylesheet" crossorigin href="/assets/index-3.css">"#;
        assert_eq!(loaded_at_start(page), ["assets/index-1.js", "assets/index-3.css", "assets/view-2.js"]);
    }

    #[test]
    fn the_sizes_of_page_and_files_are_added() {
        let dist = tempfile::tempdir().expect("temp dir");
        fs::write(dist.path().join("index.html"), r#"<script src="/a.js"></script>"#)
            .expect("write the page");
        fs::write(dist.path().join("a.js"), "x".repeat(4000)).expect("write the script");
        let figure = measure(dist.path()).expect("a figure");
        let text = format!("{figure:?}");
        assert!(text.contains("kB gzip (4 kB)") && text.contains("is_met: true"), "{text}");
    }
}
