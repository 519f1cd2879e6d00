//! The engine's events, carried to the page.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, Manager};
use tauri_specta::Event;
use tokio::sync::broadcast::error::RecvError;
use usher_api::{NeedsSignIn, ServerId, SignInStep, Snapshot, Status};
use usher_engine::Engine;

use crate::desktop::DesktopView;
use crate::shell::Shell;
use crate::tray::content::Content;
use crate::window;

/// One change, as the engine told it.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "engine_event")]
pub struct EngineEvent(pub usher_api::Event);

/// Everything anew: the engine was started (again), or events were lost on the way. Replaces all that was known.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "snapshot_taken")]
pub struct SnapshotTaken(pub Snapshot);

/// What this desktop has around the window changed.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "desktop_changed")]
pub struct DesktopChanged(pub DesktopView);

/// The person asked for a page outside the window; `wanted_page` tells which.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
#[tauri_specta(event_name = "page_wanted")]
pub struct PageWanted;

/// Carries events to the page for as long as the engine runs.
pub fn forward(app: &AppHandle, engine: Engine) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut events = engine.subscribe();
        let mut waiting = Waiting::default();
        tell_everything(&app, &engine);
        loop {
            match events.recv().await {
                Ok(event) => {
                    if waiting.ended_by(&event) {
                        window::raise(&app);
                    }
                    let shell = app.state::<Shell>();
                    shell.notices.take_event(&event);
                    if changes_tray(&event) {
                        shell.tray.show(Content::of(&engine.snapshot()));
                    }
                    tell(&app, &EngineEvent(event));
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "events were lost; telling everything anew");
                    tell_everything(&app, &engine);
                }
                Err(RecvError::Closed) => break,
            }
        }
    });
}

/// Carries what changes of the desktop's parts to the page, for as long as the app runs.
pub fn forward_desktop(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut changes = app.state::<Shell>().desktop.changes();
        while changes.changed().await.is_ok() {
            let view = *changes.borrow_and_update();
            tell(&app, &DesktopChanged(view));
        }
    });
}

fn tell_everything(app: &AppHandle, engine: &Engine) {
    let snapshot = engine.snapshot();
    let shell = app.state::<Shell>();
    shell.notices.take_snapshot(&snapshot);
    shell.tray.show(Content::of(&snapshot));
    tell(app, &SnapshotTaken(snapshot));
}

/// Progress of calls and lists that changed come often, and the tray shows none of them.
fn changes_tray(event: &usher_api::Event) -> bool {
    use usher_api::Event::*;
    match event {
        ServerChanged { .. }
        | ServerRemoved { .. }
        | ConfigChanged { .. }
        | ConfigRejected { .. }
        | PausedChanged { .. }
        | SecretStoreChanged { .. }
        | ElicitationRequested { .. }
        | ElicitationEnded { .. } => true,
        ToolsChanged { .. } | ResourcesChanged { .. } | PromptsChanged { .. } | CallProgressed { .. } => {
            false
        }
    }
}

/// Tells the page, if one is there.
pub fn tell<E: Event + Serialize + Clone>(app: &AppHandle, event: &E) {
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
    fn ended_by(&mut self, event: &usher_api::Event) -> bool {
        let usher_api::Event::ServerChanged { view, .. } = event else { return false };
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
    use usher_api::Revision;

    use super::*;
    use crate::samples::{server, signing_in};

    fn changed(status: Status) -> usher_api::Event {
        usher_api::Event::ServerChanged { revision: Revision(1), view: server("Demo", status) }
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
