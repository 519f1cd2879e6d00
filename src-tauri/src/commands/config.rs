//! Commands for the `mcp.json` file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tauri::State;
use usher_api::{ConfigView, ErrorView};

use crate::engine_slot::EngineSlot;
use crate::options::Paths;
use crate::{browser, error};

/// Opens `mcp.json` in the person's editor. If it is missing, creates it without servers.
#[tauri::command]
#[specta::specta]
pub async fn config_open(paths: State<'_, Paths>) -> Result<(), ErrorView> {
    let path = &paths.config;
    create_if_missing(path).map_err(|why| {
        let message = format!("Could not create {}.", path.display());
        error::internal(message, "Check that you have write access to its folder.", why)
    })?;
    browser::open_file(path).await
}

/// Reads `mcp.json` again and returns its state, with its error if it has one.
#[tauri::command]
#[specta::specta]
pub async fn config_check(engine: State<'_, EngineSlot>) -> Result<ConfigView, ErrorView> {
    Ok(engine.get().await?.check_config())
}

fn create_if_missing(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match File::create_new(path) {
        Ok(mut file) => file.write_all(b"{\n  \"mcpServers\": {}\n}\n"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_file_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher/mcp.json");
        create_if_missing(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"mcpServers\": {}\n}\n");
        fs::write(&path, "// mine").unwrap();
        create_if_missing(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "// mine");
    }
}
