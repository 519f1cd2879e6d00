//! A client's copy of the engine's state: a snapshot, kept up to date by events.

use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_api::{Event, ServerId, ServerView, Snapshot};

pub(crate) struct Mirror(Mutex<Snapshot>);

impl Mirror {
    pub fn new(snapshot: Snapshot) -> Self {
        Self(Mutex::new(snapshot))
    }

    pub fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.lock().servers.iter().find(|view| view.id == *id).cloned()
    }

    pub fn replace(&self, snapshot: Snapshot) {
        *self.lock() = snapshot;
    }

    /// Applies one event. Returns `false` if the snapshot already contains it.
    pub fn apply(&self, event: &Event) -> bool {
        let mut state = self.lock();
        if event.revision() <= state.revision {
            return false;
        }
        state.revision = event.revision();
        match event {
            Event::ServerChanged { view, .. } => {
                match state.servers.iter_mut().find(|server| server.id == view.id) {
                    Some(server) => *server = view.clone(),
                    None => state.servers.push(view.clone()),
                }
            }
            Event::ServerRemoved { id, .. } => state.servers.retain(|server| server.id != *id),
            Event::ConfigChanged { order, config, .. } => {
                let rank = |id: &ServerId| order.iter().position(|other| other == id).unwrap_or(usize::MAX);
                state.servers.sort_by_key(|server| rank(&server.id));
                state.config = config.clone();
            }
            Event::ConfigRejected { config, .. } => state.config = config.clone(),
            Event::SecretStoreChanged { secret_store, .. } => state.secret_store = secret_store.clone(),
            Event::PausedChanged { paused, .. } => state.paused = *paused,
            Event::ElicitationRequested { elicitation, .. } => state.elicitations.push(elicitation.clone()),
            Event::ElicitationEnded { id, .. } => state.elicitations.retain(|open| open.id != *id),
            Event::ConfigReloaded { .. }
            | Event::ToolsChanged { .. }
            | Event::ResourcesChanged { .. }
            | Event::PromptsChanged { .. }
            | Event::CallProgressed { .. }
            | Event::CallWaitsForAnswer { .. } => {}
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use usher_api::{ConfigView, Revision};

    use super::*;

    /// The recorded events in `events.json`, which the window's tests use too.
    #[derive(serde::Deserialize)]
    struct Recording {
        initial: Snapshot,
        events: Vec<Event>,
        midway: Midway,
        expected: Snapshot,
    }

    /// A part of the state in the middle of the recording. It is checked there because later events replace it.
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Midway {
        revision: Revision,
        paused: bool,
        config: ConfigView,
    }

    #[test]
    fn the_recorded_events_lead_to_the_expected_snapshot() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/events.json");
        let text = std::fs::read_to_string(path).expect("read events.json");
        let recording: Recording = serde_json::from_str(&text).expect("parse events.json");
        let mirror = Mirror::new(recording.initial);
        for event in &recording.events {
            mirror.apply(event);
            if event.revision() == recording.midway.revision {
                let Snapshot { revision, paused, config, .. } = mirror.snapshot();
                assert_eq!(Midway { revision, paused, config }, recording.midway);
            }
        }
        assert_eq!(mirror.snapshot(), recording.expected);
    }
}
