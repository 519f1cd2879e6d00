//! The engine's events, carried to the page.

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri_specta::Event;
use usher_engine::Snapshot;

/// One change, as the engine told it.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "engine_event")]
pub struct EngineEvent(pub usher_engine::Event);

/// Everything anew: the engine was started (again), or events were lost on the way. Replaces all that was known.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "snapshot_taken")]
pub struct SnapshotTaken(pub Snapshot);
