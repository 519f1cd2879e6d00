//! Prepares the shell: permissions, icons, and the UI to embed.

use std::{env, error::Error, fs, path::Path};

const WITHOUT_UI: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Usher</title>\
    <main><h1>The window's pages have not been built</h1>\
    <p>Run <code>cargo xtask start</code>, or <code>npm --prefix ui run build</code> and build again.</p></main></html>";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo looks through the folder for newer files, so a new UI is embedded by the next build.
    println!("cargo:rerun-if-changed=../ui/dist");
    if !Path::new("../ui/dist/index.html").exists() {
        stand_in_for_the_ui()?;
    }
    tauri_build::try_build(tauri_build::Attributes::new())?;
    Ok(())
}

/// Lints, editors and tests of the shell work without Node; a release does not come out that way.
fn stand_in_for_the_ui() -> Result<(), Box<dyn Error>> {
    if env::var("PROFILE")? == "release" {
        return Err("ui/dist is missing: run `npm --prefix ui run build` first (`cargo xtask` does)".into());
    }
    println!("cargo:warning=ui/dist is missing; the window will only say how to build it");
    let stand_in = Path::new(&env::var("OUT_DIR")?).join("without-ui");
    fs::create_dir_all(&stand_in)?;
    fs::write(stand_in.join("index.html"), WITHOUT_UI)?;
    let path = stand_in.to_str().ok_or("the build folder's path is not UTF-8")?;
    // Tauri merges this over tauri.conf.json when it embeds the UI.
    let over = format!(r#"{{"build":{{"frontendDist":"{}"}}}}"#, path.replace('\\', "/"));
    println!("cargo:rustc-env=TAURI_CONFIG={over}");
    Ok(())
}
