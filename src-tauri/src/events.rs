//! The events that the page receives.

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, Manager};
use tauri_specta::Event;
use usher_api::Snapshot;

use crate::desktop_features::{DesktopFeatures, DesktopView};

/// One change to the engine's state.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "engine_event")]
pub struct EngineEvent(pub usher_api::Event);

/// The engine's whole state, after a start or after lost events. It replaces the page's previous state.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "snapshot_taken")]
pub struct SnapshotTaken(pub Snapshot);

/// The desktop's features changed.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "desktop_changed")]
pub struct DesktopChanged(pub DesktopView);

/// A click outside the window asks for a service's page; `page_request_take` returns the request.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "page_requested")]
pub struct PageRequested;

/// The person wants to close the window or to quit, while the page has a text that is not saved.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "close_requested")]
pub struct CloseRequested(pub Closing);

/// The part of Usher that the person wants to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    Window,
    App,
}

/// Sends an event to the page, if the window is open.
pub fn emit<E: Event + Serialize + Clone>(app: &AppHandle, event: &E) {
    if let Err(error) = event.emit(app) {
        tracing::warn!(%error, "an event could not be sent to the page");
    }
}

/// Forwards changes of the desktop's features to the page while the app runs.
pub fn forward_desktop(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut changes = app.state::<DesktopFeatures>().changes();
        while changes.changed().await.is_ok() {
            let view = *changes.borrow_and_update();
            emit(&app, &DesktopChanged(view));
        }
    });
}
