//! Links in what servers say.

use usher_api::ErrorView;

use crate::browser;

/// Opens a link that a person clicked. https, or http on this machine; everything else is refused.
#[tauri::command]
#[specta::specta]
pub async fn link_open(url: String) -> Result<(), ErrorView> {
    browser::open(&url).await
}
