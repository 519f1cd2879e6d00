//! `mcp.json`, the person's own file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tauri::State;
use usher_api::{ConfigView, ErrorView};

use crate::shell::Shell;
use crate::{browser, error};

/// Opens the file in the person's editor; makes one without servers where there is none.
#[tauri::command]
#[specta::specta]
pub async fn config_open(shell: State<'_, Shell>) -> Result<(), ErrorView> {
    let path = &shell.places.config;
    make_if_missing(path).map_err(|why| {
        let message = format!("{} could not be made.", path.display());
        error::internal(message, "Check that you may write to its folder.", why)
    })?;
    browser::open_file(path).await
}

/// Reads the file again, now.
#[tauri::command]
#[specta::specta]
pub async fn config_check(shell: State<'_, Shell>) -> Result<ConfigView, ErrorView> {
    Ok(shell.engine.get().await?.check_config())
}

fn make_if_missing(path: &Path) -> io::Result<()> {
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
    fn a_file_that_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher/mcp.json");
        make_if_missing(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"mcpServers\": {}\n}\n");
        fs::write(&path, "// mine").unwrap();
        make_if_missing(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "// mine");
    }
}
