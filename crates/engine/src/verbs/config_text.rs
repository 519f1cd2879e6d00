//! Methods for the text of `mcp.json`: read, check and save.

use usher_api::{ConfigSaveView, ConfigTextCheckView, ConfigTextView, ErrorView};
use usher_config::{ConfigError, FileText, TextCheck};

use super::entry_check::problem;
use crate::engine::Engine;
use crate::words::config::describe_config_error;

/// The maximum number of problems in a check. A person does not read more.
const MAX_PROBLEMS: usize = 500;

impl Engine {
    /// Returns the text of `mcp.json` for an editor. Secrets in plain text are hidden.
    pub async fn config_text(&self) -> Result<ConfigTextView, ErrorView> {
        let read = self.on_file(|file| file.text()).await?;
        read.map(view).map_err(|error| describe_config_error(&error))
    }

    /// Checks a text that may replace `mcp.json`. Writes nothing.
    pub async fn check_config_text(&self, text: String) -> Result<ConfigTextCheckView, ErrorView> {
        let checked = self.on_file(move |file| file.check_text(&text)).await?;
        let TextCheck { problems, can_be_saved } = checked.map_err(|error| describe_config_error(&error))?;
        let omitted = u32::try_from(problems.len().saturating_sub(MAX_PROBLEMS)).unwrap_or(u32::MAX);
        let problems = problems.iter().take(MAX_PROBLEMS).map(problem).collect();
        Ok(ConfigTextCheckView { problems, omitted, can_be_saved })
    }

    /// Replaces the text of `mcp.json` if the file still has this version, and publishes what changed. Hidden secrets
    /// stay as they are. Fails if the text is not the JSON of an `mcp.json`.
    pub async fn save_config_text(&self, text: String, version: String) -> Result<ConfigSaveView, ErrorView> {
        let _changing = self.run.servers.changing.lock().await;
        match self.on_file(move |file| file.save_text(&text, &version)).await? {
            Ok((config, saved)) => {
                let path = self.run.config.path();
                let changes = self.run.servers.reconcile(&self.run.context, path, config).await;
                self.run.context.board.config_reloaded(changes);
                Ok(ConfigSaveView::Saved { file: view(saved) })
            }
            Err(ConfigError::FileChanged { .. }) => {
                Ok(ConfigSaveView::Changed { file: self.config_text().await? })
            }
            Err(error) => Err(describe_config_error(&error)),
        }
    }
}

fn view(FileText { text, version }: FileText) -> ConfigTextView {
    ConfigTextView { text, version }
}
