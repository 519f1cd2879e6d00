//! The settings of an entry whose grants need no person.

use std::path::PathBuf;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use usher_budgets as budgets;
use usher_oauth::ClientSettings;

#[derive(Clone, Debug)]
pub(crate) struct UnattendedSettings {
    pub settings: ClientSettings,
    /// The file with the platform's assertion. The platform replaces it from time to time.
    pub assertion_file: Option<PathBuf>,
}

impl UnattendedSettings {
    /// Returns the settings with the assertion as it is in the file now.
    pub async fn current(&self) -> ClientSettings {
        let mut settings = self.settings.clone();
        if let Some(path) = &self.assertion_file {
            settings.assertion = match read(path).await {
                Ok(assertion) => Some(assertion),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "the assertion cannot be read");
                    None
                }
            };
        }
        settings
    }
}

async fn read(path: &PathBuf) -> std::io::Result<SecretString> {
    let file = tokio::fs::File::open(path).await?;
    let mut text = String::new();
    let limit = u64::try_from(budgets::TOKEN_BYTES).unwrap_or(u64::MAX);
    file.take(limit).read_to_string(&mut text).await?;
    Ok(text.trim().into())
}
