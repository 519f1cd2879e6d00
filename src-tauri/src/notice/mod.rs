//! Tells the person of what needs them while the window is away.

#[cfg(target_os = "linux")]
mod desk;
#[cfg(not(target_os = "linux"))]
#[path = "plain.rs"]
mod desk;
pub mod expiries;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tauri::{AppHandle, Manager};
use tokio::sync::{Notify, mpsc};
use usher_engine::{Event, Snapshot};

use self::desk::{Desk, Said};
use self::expiries::Expiries;
use self::words::{Answer, Notice};
use crate::action;
use crate::desktop::NotificationsPart;
use crate::shell::Shell;

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

    /// The window was closed for the first time, and the app stays.
    pub fn tell_of_tray(&self) {
        *self.stays_in_tray.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn expiries(&self) -> MutexGuard<'_, Expiries> {
        self.expiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be shown now.
    fn due(&self, now: Instant) -> Vec<Notice> {
        let expired = self.expiries().due(now);
        let mut notices: Vec<Notice> = Vec::new();
        if !expired.is_empty() {
            notices.push(words::of_expiries(&expired));
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
            Ok(desk) => Teller { app, desk, heard, shown: HashMap::new() }.tell().await,
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
    shown: HashMap<u32, Notice>,
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
            for notice in shell.notices.due(Instant::now()) {
                match self.desk.show(&notice).await {
                    Ok(number) => drop(self.shown.insert(number, notice)),
                    // The tray and the window say it too.
                    Err(error) => tracing::warn!(%error, "a notification was not shown"),
                }
            }
        }
    }

    fn hear(&mut self, said: Said) {
        let shell = self.app.state::<Shell>();
        match said {
            Said::Can(part) => shell.desktop.set_notifications(part),
            Said::Closed(number) => drop(self.shown.remove(&number)),
            Said::Clicked(number, button) => {
                let Some(notice) = self.shown.remove(&number) else { return };
                let answer = match button {
                    None => notice.click.map(Answer::Do),
                    Some(place) => notice.buttons.into_iter().nth(place).map(|(_, answer)| answer),
                };
                match answer {
                    Some(Answer::Do(action)) => action::perform(&self.app, action),
                    Some(Answer::Later) => shell.notices.expiries().snooze(&notice.about, Instant::now()),
                    None => {}
                }
            }
        }
    }

    /// Nobody wants to click on what was settled in the window or the tray.
    async fn take_away_what_is_settled(&mut self) {
        let settled: Vec<u32> = {
            let shell = self.app.state::<Shell>();
            let expiries = shell.notices.expiries();
            let is_settled = |notice: &Notice| !notice.about.is_empty() && !expiries.any_open(&notice.about);
            self.shown.iter().filter(|(_, notice)| is_settled(notice)).map(|(number, _)| *number).collect()
        };
        for number in settled {
            self.shown.remove(&number);
            self.desk.close(number).await;
        }
    }
}
