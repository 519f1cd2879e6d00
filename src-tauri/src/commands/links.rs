//! The command for links in servers' texts.

use usher_api::ErrorView;

use crate::browser;

/// Opens a link that the person clicked: https, or http on a loopback host. Rejects other links.
#[tauri::command]
#[specta::specta]
pub async fn link_open(url: String) -> Result<(), ErrorView> {
    browser::open(&url).await
}
