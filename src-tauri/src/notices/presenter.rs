//! The task that shows notices and performs the clicked actions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager};
use tokio::sync::mpsc;

use super::notifications::{DesktopEvent, Notifications};
use super::queue::NoticeQueue;
use super::shown::ShownNotices;
use super::text::Subject;
use crate::action;
use crate::desktop_features::{DesktopFeatures, NotificationSupport};
use crate::engine_slot::EngineSlot;
use crate::settings::Settings;

/// The delay before a failed notification is retried, unless a notification service appears sooner.
const RETRY_DELAY: Duration = Duration::from_secs(30);

pub fn start(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let (sender, events) = mpsc::unbounded_channel();
        match Notifications::connect(sender).await {
            Ok(notifications) => {
                let (shown, unshown) = (ShownNotices::default(), Vec::new());
                Presenter { app, notifications, events, shown, unshown }.run().await;
            }
            Err(error) => {
                tracing::info!(%error, "notifications are not available");
                app.state::<DesktopFeatures>().set_notifications(NotificationSupport::Missing);
            }
        }
    });
}

struct Presenter {
    app: AppHandle,
    notifications: Arc<Notifications>,
    events: mpsc::UnboundedReceiver<DesktopEvent>,
    shown: ShownNotices,
    /// The subjects whose notification failed or was lost.
    unshown: Vec<Subject>,
}

impl Presenter {
    async fn run(mut self) {
        let app = self.app.clone();
        let queue = app.state::<NoticeQueue>();
        loop {
            let due_at = queue.due_at();
            let due = async {
                match due_at {
                    Some(due_at) => tokio::time::sleep_until(due_at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.handle(event),
                    // The session bus has closed, and usually the session has ended.
                    None => {
                        let desktop = app.state::<DesktopFeatures>();
                        break desktop.set_notifications(NotificationSupport::Missing);
                    }
                },
                () = queue.changed() => {}
                () = due => {}
            }
            self.close_settled().await;
            self.show_due().await;
        }
    }

    fn handle(&mut self, event: DesktopEvent) {
        let queue = self.app.state::<NoticeQueue>();
        match event {
            DesktopEvent::Support(support) => {
                self.app.state::<DesktopFeatures>().set_notifications(support);
                if support != NotificationSupport::Missing {
                    queue.schedule(&std::mem::take(&mut self.unshown), Instant::now());
                }
            }
            DesktopEvent::ServiceLost => self.unshown.extend(self.shown.take_all()),
            DesktopEvent::Closed(number) => self.shown.remove(number),
            DesktopEvent::Clicked(number, button) => {
                let clicked = self.shown.take_clicked(number, button);
                if let Some(action) = clicked.and_then(|clicked| queue.respond(clicked, Instant::now())) {
                    action::perform(&self.app, action);
                }
            }
        }
    }

    async fn show_due(&mut self) {
        let queue = self.app.state::<NoticeQueue>();
        let engine = self.app.state::<EngineSlot>().running();
        let servers = engine.map(|engine| engine.snapshot().servers).unwrap_or_default();
        for notice in queue.take_due(Instant::now(), &servers, self.notifications.has_clicks()) {
            match self.notifications.show(&notice).await {
                Ok(number) => {
                    if notice.subjects.is_empty() {
                        self.app.state::<Settings>().set_tray_notice_shown();
                    }
                    self.unshown.retain(|subject| !notice.subjects.contains(subject));
                    self.shown.add(number, notice);
                }
                // The tray and the window still show that these subjects need the person.
                Err(error) => {
                    tracing::warn!(%error, "could not show a notification");
                    queue.schedule(&notice.subjects, Instant::now() + RETRY_DELAY);
                    self.unshown.retain(|subject| !notice.subjects.contains(subject));
                    self.unshown.extend(notice.subjects);
                }
            }
        }
    }

    /// Closes notifications about subjects that no longer need the person.
    async fn close_settled(&mut self) {
        let queue = self.app.state::<NoticeQueue>();
        let settled = self.shown.take_settled(|subjects| queue.any_open(subjects));
        for number in settled {
            self.notifications.close(number).await;
        }
    }
}
