//! Commands for the `mcp.json` file.

use tauri::State;
use usher_api::{ConfigView, ErrorView};
use usher_config::{ConfigFile, Environment};

use crate::browser;
use crate::engine_slot::EngineSlot;
use crate::options::Paths;

/// Opens `mcp.json` in the person's editor. If it is missing, creates it with the examples.
#[tauri::command]
#[specta::specta]
pub async fn config_open(paths: State<'_, Paths>) -> Result<(), ErrorView> {
    let path = &paths.config;
    let file = ConfigFile::new(path.clone(), Environment::of_process());
    file.create_if_missing().map_err(|error| usher_engine::describe_config_error(&error))?;
    browser::open_file(path).await
}

/// Reads `mcp.json` again and returns its state, with its error if it has one.
#[tauri::command]
#[specta::specta]
pub async fn config_check(engine: State<'_, EngineSlot>) -> Result<ConfigView, ErrorView> {
    Ok(engine.get().await?.check_config())
}
