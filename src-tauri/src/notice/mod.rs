//! Tells the person of what needs them while the window is away.

#[cfg(target_os = "linux")]
mod desk;
#[cfg(not(target_os = "linux"))]
#[path = "plain.rs"]
mod desk;
pub mod expiries;
mod shown;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager};
use tokio::sync::{Notify, mpsc};
use usher_api::{Event, ServerId, ServerView, Snapshot};

use self::desk::{Desk, Said};
use self::expiries::{Expiries, Named};
use self::shown::{Clicked, Shown};
use self::words::{Answer, Notice};
use crate::action::{self, Action};
use crate::desktop::NotificationsPart;
use crate::shell::Shell;
use crate::tray::content::label;

/// For a desktop that could not show one just now. Where one comes that shows them, they are shown at once.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What there is to tell of; a task of its own tells it.
#[derive(Default)]
pub struct Notices {
    expiries: Mutex<Expiries>,
    changed: Notify,
    stays_in_tray: Mutex<bool>,
}

impl Notices {
    /// Takes in everything as it is.
    pub fn take_snapshot(&self, snapshot: &Snapshot) {
        self.expiries().note(snapshot, Instant::now());
        self.changed.notify_one();
    }

    /// Takes in a change.
    pub fn take_event(&self, event: &Event) {
        match event {
            Event::ServerChanged { view, .. } => self.expiries().note_server(view, Instant::now()),
            Event::ServerRemoved { id, .. } => self.expiries().forget(id),
            _ => return,
        }
        self.changed.notify_one();
    }

    /// The person looks at the window, or no longer does.
    pub fn window_in_front(&self, in_front: bool) {
        self.expiries().window_in_front(in_front);
        self.changed.notify_one();
    }

    /// The window was closed, the app stays, and the person was not told of that yet.
    pub fn tell_of_tray(&self) {
        *self.stays_in_tray.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn expiries(&self) -> MutexGuard<'_, Expiries> {
        self.expiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a click is to do; "Later" is done by this.
    fn answered(&self, clicked: Clicked, now: Instant) -> Option<Action> {
        match clicked.answer {
            Answer::Do(action) => Some(action),
            Answer::Later => {
                self.expiries().tell_again(&clicked.about, now + expiries::SNOOZE);
                None
            }
        }
    }

    /// What is to be shown now, of these servers.
    fn due(&self, now: Instant, servers: &[ServerView], clicks: bool) -> Vec<Notice> {
        let expired = as_listed(&self.expiries().due(now), servers);
        let mut notices: Vec<Notice> = Vec::new();
        if !expired.is_empty() {
            notices.push(words::of_expiries(&expired, clicks));
        }
        let mut stays_in_tray = self.stays_in_tray.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *stays_in_tray) {
            notices.push(words::stays_in_tray());
        }
        notices
    }
}

/// Tells what is due, for as long as the app runs.
pub fn begin(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let (said, heard) = mpsc::unbounded_channel();
        match Desk::connect(said).await {
            Ok(desk) => {
                let (shown, untold) = (Shown::default(), Vec::new());
                Teller { app, desk, heard, shown, untold }.tell().await;
            }
            Err(error) => {
                tracing::info!(%error, "no notifications");
                app.state::<Shell>().desktop.set_notifications(NotificationsPart::Missing);
            }
        }
    });
}

struct Teller {
    app: AppHandle,
    desk: Arc<Desk>,
    heard: mpsc::UnboundedReceiver<Said>,
    shown: Shown,
    /// Services of which nobody could be told, and of those whose notification was lost.
    untold: Vec<ServerId>,
}

impl Teller {
    async fn tell(mut self) {
        let app = self.app.clone();
        let shell = app.state::<Shell>();
        loop {
            let next = shell.notices.expiries().next();
            let next = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                heard = self.heard.recv() => match heard {
                    Some(said) => self.hear(said),
                    // The session bus is gone, and most of the session with it.
                    None => break shell.desktop.set_notifications(NotificationsPart::Missing),
                },
                () = shell.notices.changed.notified() => {}
                () = next => {}
            }
            self.take_away_what_is_settled().await;
            self.show_what_is_due().await;
        }
    }

    fn hear(&mut self, said: Said) {
        let shell = self.app.state::<Shell>();
        match said {
            Said::Can(part) => {
                shell.desktop.set_notifications(part);
                if part != NotificationsPart::Missing {
                    shell.notices.expiries().tell_again(&std::mem::take(&mut self.untold), Instant::now());
                }
            }
            Said::Lost => self.untold.extend(self.shown.lose_all()),
            Said::Closed(number) => self.shown.closed(number),
            Said::Clicked(number, button) => {
                let clicked = self.shown.clicked(number, button);
                if let Some(action) =
                    clicked.and_then(|clicked| shell.notices.answered(clicked, Instant::now()))
                {
                    action::perform(&self.app, action);
                }
            }
        }
    }

    async fn show_what_is_due(&mut self) {
        let shell = self.app.state::<Shell>();
        let servers = shell.engine.running().map(|engine| engine.snapshot().servers).unwrap_or_default();
        for notice in shell.notices.due(Instant::now(), &servers, self.desk.hears_clicks()) {
            match self.desk.show(&notice).await {
                Ok(number) => {
                    if notice.about.is_empty() {
                        shell.settings.told_of_tray();
                    }
                    self.untold.retain(|id| !notice.about.contains(id));
                    self.shown.add(number, notice);
                }
                // The tray and the window say it too.
                Err(error) => {
                    tracing::warn!(%error, "a notification was not shown");
                    shell.notices.expiries().tell_again(&notice.about, Instant::now() + TRIED_AGAIN_AFTER);
                    self.untold.retain(|id| !notice.about.contains(id));
                    self.untold.extend(notice.about);
                }
            }
        }
    }

    /// Nobody wants to click on what was settled in the window or the tray.
    async fn take_away_what_is_settled(&mut self) {
        let settled = {
            let shell = self.app.state::<Shell>();
            let expiries = shell.notices.expiries();
            self.shown.take_settled(|about| expiries.any_open(about))
        };
        for number in settled {
            self.desk.close(number).await;
        }
    }
}

/// As the menu and the window list them, by the names that they have there; without those that are gone.
fn as_listed(expired: &[Named], servers: &[ServerView]) -> Vec<Named> {
    let listed = servers.iter().filter_map(|server| {
        let named = expired.iter().find(|named| named.id == server.id)?;
        Some(Named { name: label(server, servers), ..named.clone() })
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use usher_api::NeedsSignIn;

    use super::*;
    use crate::samples::{needs, server, snapshot};

    #[test]
    fn later_is_an_hour_later_for_all_that_the_notification_named() {
        let expired = ["Notion", "Linear"].map(|name| server(name, needs(NeedsSignIn::Expired)));
        let notices = Notices::default();
        notices.take_snapshot(&snapshot(expired.clone()));
        let told_at = Instant::now() + expiries::TOGETHER;
        let told = notices.due(told_at, &expired, true);
        assert_eq!(
            told.iter().map(|notice| notice.title.as_str()).collect::<Vec<_>>(),
            ["2 services need you"]
        );
        assert_eq!(told[0].body, "Notion and Linear wait for you.");

        let clicked = Clicked { answer: Answer::Later, about: told[0].about.clone() };
        assert_eq!(notices.answered(clicked, told_at), None);
        let later = told_at + expiries::SNOOZE;
        assert_eq!(notices.due(later - Duration::from_millis(1), &expired, true), []);
        assert_eq!(notices.due(later, &expired, true), told);
    }

    #[test]
    fn a_service_that_is_gone_is_not_named() {
        let expired = ["Notion", "Linear"].map(|name| server(name, needs(NeedsSignIn::Expired)));
        let notices = Notices::default();
        notices.take_snapshot(&snapshot(expired.clone()));
        let told = notices.due(Instant::now() + expiries::TOGETHER, &expired[1..], true);
        assert_eq!(
            told.into_iter().map(|notice| notice.title).collect::<Vec<_>>(),
            ["Linear needs you to sign in again"]
        );
    }
}
