//! Generates the page's TypeScript from the app's commands and events: `export-bindings [--check] [PATH]`.
//! With `--check` it writes nothing, and fails if the file is stale.

use std::{env, fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use specta_typescript::Typescript;

const HEADER: &str =
    "// Generated from the app's commands and events by `cargo xtask bindings`. Do not edit.";

fn main() -> Result<ExitCode> {
    // The first argument is the program's name.
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let check = arguments.iter().any(|argument| argument == "--check");
    arguments.retain(|argument| argument != "--check");
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/src/backend/bindings.ts");
    let path = arguments.first().map_or(default, PathBuf::from);

    let fresh = env::temp_dir().join(format!("usher-bindings-{}.ts", std::process::id()));
    usher_shell::bindings()
        .export(Typescript::default().header(HEADER), &fresh)
        .context("export the bindings")?;
    let generated = fs::read_to_string(&fresh)?;
    fs::remove_file(&fresh)?;

    if !check {
        fs::write(&path, generated).with_context(|| format!("write {}", path.display()))?;
        println!("Wrote {}", path.display());
    } else if fs::read_to_string(&path).unwrap_or_default() != generated {
        eprintln!("{} is stale: run `cargo xtask bindings` and commit it", path.display());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
