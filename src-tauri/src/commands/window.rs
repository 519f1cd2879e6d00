//! Commands for closing the window while the page has a text that is not saved.

use tauri::{AppHandle, Manager, State};
use usher_api::ErrorView;

use crate::error::internal;
use crate::events::Closing;
use crate::window;
use crate::window::unsaved_text::UnsavedText;

/// Reports whether the page has a text that is lost if the window closes. Closing the window then sends
/// `close_requested`.
#[tauri::command]
#[specta::specta]
pub fn window_keeps_text(unsaved: State<'_, UnsavedText>, is_unsaved: bool) -> Result<(), ErrorView> {
    unsaved.set(is_unsaved);
    Ok(())
}

/// Acknowledges `close_requested`: the page now asks the person. Without this, the next request closes the window or
/// quits.
#[tauri::command]
#[specta::specta]
pub fn window_asks_person(unsaved: State<'_, UnsavedText>) -> Result<(), ErrorView> {
    unsaved.acknowledge();
    Ok(())
}

/// Closes the window or quits, although the page has a text that is not saved. The person has agreed.
#[tauri::command]
#[specta::specta]
pub fn window_close(
    app: AppHandle,
    unsaved: State<'_, UnsavedText>,
    closing: Closing,
) -> Result<(), ErrorView> {
    unsaved.set(false);
    match closing {
        Closing::App => app.exit(0),
        Closing::Window => {
            if let Some(window) = app.get_webview_window(window::LABEL) {
                window
                    .close()
                    .map_err(|error| internal("The window could not be closed.", "Try again.", error))?;
            }
        }
    }
    Ok(())
}
