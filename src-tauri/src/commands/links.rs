//! Links in what servers say.

use usher_engine::ErrorView;

/// Opens a link that a person clicked. https, or http on loopback; everything else is refused.
#[tauri::command]
#[specta::specta]
pub async fn link_open(url: String) -> Result<(), ErrorView> {
    let _ = url;
    Err(super::not_yet())
}
