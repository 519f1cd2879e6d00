//! The engine's events, forwarded to the page, the tray and the notifications.

use std::collections::HashSet;

use tauri::{AppHandle, Manager};
use tokio::sync::broadcast::error::RecvError;
use usher_api::{Event, NeedsSignIn, ServerId, SignInStep, Status};
use usher_engine::Engine;

use crate::events::{self, EngineEvent, SnapshotTaken};
use crate::notices::NoticeQueue;
use crate::tray::Tray;
use crate::tray::content::Content;
use crate::window;
use crate::window::page_request::PageRequest;

pub fn forward(app: &AppHandle, engine: Engine) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut events = engine.subscribe();
        let mut browser_waits = BrowserWaits::default();
        send_snapshot(&app, &engine);
        loop {
            match events.recv().await {
                Ok(event) => {
                    if let Some(server) = browser_waits.apply(&event) {
                        let page = PageRequest { after_sign_in: true, ..PageRequest::new(&server) };
                        window::raise_at(&app, page);
                    }
                    app.state::<NoticeQueue>().apply_event(&event);
                    if changes_tray(&event) {
                        app.state::<Tray>().show(Content::of(&engine.snapshot()));
                    }
                    events::emit(&app, &EngineEvent(event));
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "events were lost; sending a snapshot");
                    send_snapshot(&app, &engine);
                }
                Err(RecvError::Closed) => break,
            }
        }
    });
}

fn send_snapshot(app: &AppHandle, engine: &Engine) {
    let snapshot = engine.snapshot();
    app.state::<NoticeQueue>().apply_snapshot(&snapshot);
    app.state::<Tray>().show(Content::of(&snapshot));
    events::emit(app, &SnapshotTaken(snapshot));
}

/// Whether the event can change the tray. Call progress and list changes are frequent, and the tray shows neither.
fn changes_tray(event: &Event) -> bool {
    use Event::*;
    match event {
        ServerChanged { .. }
        | ServerRemoved { .. }
        | ConfigChanged { .. }
        | ConfigRejected { .. }
        | PausedChanged { .. }
        | SecretStoreChanged { .. }
        | ElicitationRequested { .. }
        | ElicitationEnded { .. } => true,
        ConfigReloaded { .. }
        | ToolsChanged { .. }
        | ResourcesChanged { .. }
        | PromptsChanged { .. }
        | CallProgressed { .. }
        | CallWaitsForAnswer { .. } => false,
    }
}

/// The servers whose sign-in waits for the browser. The window comes to the front when the engine accepts a callback.
/// A rejected callback changes no status, so it cannot make the window steal the focus.
#[derive(Default)]
struct BrowserWaits(HashSet<ServerId>);

impl BrowserWaits {
    /// Applies an event. Returns the server if the engine accepted its callback.
    fn apply(&mut self, event: &Event) -> Option<ServerId> {
        let Event::ServerChanged { view, .. } = event else { return None };
        if matches!(view.status, Status::SigningIn { step: SignInStep::WaitingForBrowser, .. }) {
            self.0.insert(view.id.clone());
            return None;
        }
        let is_accepted = self.0.remove(&view.id)
            && matches!(
                view.status,
                Status::SigningIn { step: SignInStep::Exchanging | SignInStep::Connecting, .. }
                    | Status::Connected { .. }
                    | Status::NeedsSignIn { reason: NeedsSignIn::Denied }
            );
        is_accepted.then(|| view.id.clone())
    }
}

#[cfg(test)]
mod tests {
    use usher_api::Revision;

    use super::*;
    use crate::sample_views::{server, signing_in};

    fn changed(status: Status) -> Event {
        Event::ServerChanged { revision: Revision(1), view: server("Demo", status) }
    }

    #[test]
    fn a_callback_raises_the_window_once() {
        let mut waits = BrowserWaits::default();
        let raised = [
            signing_in(SignInStep::Discovering),
            signing_in(SignInStep::WaitingForBrowser),
            signing_in(SignInStep::WaitingForBrowser),
            signing_in(SignInStep::Exchanging),
            signing_in(SignInStep::Connecting),
        ]
        .map(|status| waits.apply(&changed(status)));
        assert_eq!(raised, [None, None, None, Some(ServerId("demo".to_owned())), None]);
    }

    #[test]
    fn a_denied_sign_in_raises_the_window_and_a_cancelled_one_does_not() {
        for (ending, raised) in [
            (Status::NeedsSignIn { reason: NeedsSignIn::Denied }, true),
            (Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn }, false),
            (Status::Disabled, false),
            (signing_in(SignInStep::Discovering), false),
        ] {
            let mut waits = BrowserWaits::default();
            waits.apply(&changed(signing_in(SignInStep::WaitingForBrowser)));
            assert_eq!(waits.apply(&changed(ending)).is_some(), raised);
        }
    }
}
