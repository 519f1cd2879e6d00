//! Commands for the `mcp.json` file.
//!
//! Those for its text are not requests to the engine, because a text that the person enters may contain secrets.

use tauri::State;
use usher_api::{ConfigSaveView, ConfigTextCheckView, ConfigTextView, ConfigView, ErrorView};
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

/// Returns the text of `mcp.json` for the editor. Secrets in plain text are hidden.
#[tauri::command]
#[specta::specta]
pub async fn config_text_read(engine: State<'_, EngineSlot>) -> Result<ConfigTextView, ErrorView> {
    engine.get().await?.config_text().await
}

/// Checks a text that may replace `mcp.json`. Writes nothing.
#[tauri::command]
#[specta::specta]
pub async fn config_text_check(
    engine: State<'_, EngineSlot>,
    text: String,
) -> Result<ConfigTextCheckView, ErrorView> {
    engine.get().await?.check_config_text(text).await
}

/// Replaces the text of `mcp.json`, unless the file no longer has the version that the editor read.
#[tauri::command]
#[specta::specta]
pub async fn config_text_save(
    engine: State<'_, EngineSlot>,
    text: String,
    version: String,
) -> Result<ConfigSaveView, ErrorView> {
    engine.get().await?.save_config_text(text, version).await
}
