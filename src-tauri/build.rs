//! Prepares the build: permissions, icons, and the UI to embed.

use std::{env, error::Error, fs, path::Path};

const PLACEHOLDER_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Usher</title>\
    <main><h1>The UI has not been built</h1>\
    <p>Run <code>cargo xtask start</code>, which builds it.</p></main></html>";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo scans the folder for newer files, so the next build embeds a new UI.
    println!("cargo:rerun-if-changed=../ui/dist");
    if !Path::new("../ui/dist/index.html").exists() {
        embed_placeholder()?;
    }
    tauri_build::try_build(tauri_build::Attributes::new())?;
    Ok(())
}

/// Embeds a placeholder page, so that lints, editors and tests work without Node. A release build fails instead.
fn embed_placeholder() -> Result<(), Box<dyn Error>> {
    if env::var("PROFILE")? == "release" {
        return Err("ui/dist is missing: run `npm --prefix ui run build` first (`cargo xtask` does)".into());
    }
    println!("cargo:warning=ui/dist is missing; the window will only show how to build it");
    let folder = Path::new(&env::var("OUT_DIR")?).join("placeholder-ui");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("index.html"), PLACEHOLDER_PAGE)?;
    let path = folder.to_str().ok_or("the build folder's path is not UTF-8")?;
    // Tauri merges this into tauri.conf.json when it embeds the UI.
    let config = format!(r#"{{"build":{{"frontendDist":"{}"}}}}"#, path.replace('\\', "/"));
    println!("cargo:rustc-env=TAURI_CONFIG={config}");
    Ok(())
}
