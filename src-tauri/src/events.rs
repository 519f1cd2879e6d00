//! The engine's events, carried to the page.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::AppHandle;
use tauri_specta::Event;
use tokio::sync::broadcast::error::RecvError;
use usher_engine::{Engine, NeedsSignIn, ServerId, SignInStep, Snapshot, Status};

use crate::window;

/// One change, as the engine told it.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "engine_event")]
pub struct EngineEvent(pub usher_engine::Event);

/// Everything anew: the engine was started (again), or events were lost on the way. Replaces all that was known.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "snapshot_taken")]
pub struct SnapshotTaken(pub Snapshot);

/// Carries events to the page for as long as the engine runs.
pub fn forward(app: &AppHandle, engine: Engine) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut events = engine.subscribe();
        let mut waiting = Waiting::default();
        tell(&app, &SnapshotTaken(engine.snapshot()));
        loop {
            match events.recv().await {
                Ok(event) => {
                    if waiting.ended_by(&event) {
                        window::raise(&app);
                    }
                    tell(&app, &EngineEvent(event));
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "events were lost; telling everything anew");
                    tell(&app, &SnapshotTaken(engine.snapshot()));
                }
                Err(RecvError::Closed) => break,
            }
        }
    });
}

fn tell<E: Event + Serialize + Clone>(app: &AppHandle, event: &E) {
    if let Err(error) = event.emit(app) {
        tracing::warn!(%error, "the page was not told");
    }
}

/// The servers that wait for the browser. When an answer that the engine takes comes back, whichever way it came,
/// the person wants to see Usher again. A link that the engine does not take changes no status, so it cannot steal
/// the focus.
#[derive(Default)]
struct Waiting(HashSet<ServerId>);

impl Waiting {
    fn ended_by(&mut self, event: &usher_engine::Event) -> bool {
        let usher_engine::Event::ServerChanged { view, .. } = event else { return false };
        if matches!(view.status, Status::SigningIn { step: SignInStep::WaitingForBrowser, .. }) {
            self.0.insert(view.id.clone());
            return false;
        }
        self.0.remove(&view.id)
            && matches!(
                view.status,
                Status::SigningIn { step: SignInStep::Exchanging | SignInStep::Connecting, .. }
                    | Status::Connected { .. }
                    | Status::NeedsSignIn { reason: NeedsSignIn::Refused }
            )
    }
}

#[cfg(test)]
mod tests {
    use usher_engine::{AuthView, Revision, ServerView, TransportKind};

    use super::*;

    fn changed(status: Status) -> usher_engine::Event {
        let view = ServerView {
            id: ServerId("demo".to_owned()),
            name: "Demo".to_owned(),
            catalogue: None,
            address: "http://127.0.0.1:1/mcp".to_owned(),
            transport: TransportKind::Http,
            status,
            auth: AuthView::Unknown,
            last_error: None,
        };
        usher_engine::Event::ServerChanged { revision: Revision(1), view }
    }

    fn signing_in(step: SignInStep) -> Status {
        Status::SigningIn {
            step,
            host: None,
            redirect: None,
            opened: None,
            expires_at: None,
            next_redirect: None,
        }
    }

    #[test]
    fn an_answer_from_the_browser_raises_the_window_once() {
        let mut waiting = Waiting::default();
        let raised = [
            signing_in(SignInStep::Discovering),
            signing_in(SignInStep::WaitingForBrowser),
            signing_in(SignInStep::WaitingForBrowser),
            signing_in(SignInStep::Exchanging),
            signing_in(SignInStep::Connecting),
        ]
        .map(|status| waiting.ended_by(&changed(status)));
        assert_eq!(raised, [false, false, false, true, false]);
    }

    #[test]
    fn a_refusal_raises_it_and_giving_up_does_not() {
        for (ending, raised) in [
            (Status::NeedsSignIn { reason: NeedsSignIn::Refused }, true),
            (Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn }, false),
            (Status::Disabled, false),
            (signing_in(SignInStep::Discovering), false),
        ] {
            let mut waiting = Waiting::default();
            waiting.ended_by(&changed(signing_in(SignInStep::WaitingForBrowser)));
            assert_eq!(waiting.ended_by(&changed(ending)), raised);
        }
    }
}
