//! The settings of an entry whose grants need no person.

use std::io;
use std::path::{Path, PathBuf};

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

/// Reads the assertion. An empty file is being replaced, and a part of an assertion is never sent.
async fn read(path: &Path) -> io::Result<SecretString> {
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    // A pipe would block.
    if !tokio::fs::metadata(path).await?.is_file() {
        return Err(invalid("it is not a file"));
    }
    let file = tokio::fs::File::open(path).await?;
    let mut text = String::new();
    let limit = u64::try_from(budgets::TOKEN_BYTES).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_string(&mut text).await?;
    match text.trim() {
        "" => Err(invalid("it is empty")),
        _ if text.len() > budgets::TOKEN_BYTES => Err(invalid("it is too long for an assertion")),
        assertion => Ok(assertion.into()),
    }
}
