//! The notices that wait to be shown.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use usher_api::{Event, ServerView, Snapshot};

use super::expiries::{self, ExpiredService, Expiries};
use super::questions::Questions;
use super::shown::Clicked;
use super::text::{self, Notice, Response, Subject};
use crate::action::Action;
use crate::service_label::service_label;

/// The queue, updated by the engine and the window. The presenter shows the due notices.
#[derive(Default)]
pub struct NoticeQueue {
    expiries: Mutex<Expiries>,
    questions: Mutex<Questions>,
    changed: Notify,
    tray_notice: AtomicBool,
}

impl NoticeQueue {
    pub fn apply_snapshot(&self, snapshot: &Snapshot) {
        self.expiries().apply_snapshot(snapshot, Instant::now());
        self.questions().apply_snapshot(&snapshot.elicitations, Instant::now());
        self.changed.notify_one();
    }

    pub fn apply_event(&self, event: &Event) {
        match event {
            Event::ServerChanged { view, .. } => self.expiries().apply_server(view, Instant::now()),
            Event::ServerRemoved { id, .. } => self.expiries().remove(id),
            Event::ElicitationRequested { elicitation, .. } => {
                self.questions().add(elicitation, Instant::now());
            }
            Event::ElicitationEnded { id, .. } => self.questions().remove(id),
            _ => return,
        }
        self.changed.notify_one();
    }

    pub fn set_window_focused(&self, focused: bool) {
        self.expiries().set_window_focused(focused);
        self.questions().set_window_focused(focused);
        self.changed.notify_one();
    }

    /// Queues the notice that the app keeps running in the tray after its window was closed.
    pub fn announce_tray(&self) {
        self.tray_notice.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Waits for the next change.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn expiries(&self) -> MutexGuard<'_, Expiries> {
        self.expiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn questions(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time at which the next notice is due, if nothing changes before then.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let due = [self.expiries().due_at(), self.questions().due_at()];
        due.into_iter().flatten().min()
    }

    /// Schedules notices about these subjects, if they still need the person then.
    pub(super) fn schedule(&self, subjects: &[Subject], at: Instant) {
        for subject in subjects {
            match subject {
                Subject::Service(id) => self.expiries().schedule(std::slice::from_ref(id), at),
                Subject::Question(id) => self.questions().schedule(id, at),
            }
        }
    }

    /// Whether one of these subjects still needs the person. If none does, their notification is closed.
    pub(super) fn any_open(&self, subjects: &[Subject]) -> bool {
        subjects.iter().any(|subject| match subject {
            Subject::Service(id) => self.expiries().any_open(std::slice::from_ref(id)),
            Subject::Question(id) => self.questions().is_open(id),
        })
    }

    /// Returns the action of a click, or snoozes the services of its notice.
    pub(super) fn respond(&self, clicked: Clicked, now: Instant) -> Option<Action> {
        match clicked.response {
            Response::Do(action) => Some(action),
            Response::Snooze => {
                self.schedule(&clicked.subjects, now + expiries::SNOOZE);
                None
            }
        }
    }

    /// Takes the notices that are due. `servers` determines the order and the names of the services. `has_clicks` says
    /// whether the desktop reports clicks.
    pub(super) fn take_due(&self, now: Instant, servers: &[ServerView], has_clicks: bool) -> Vec<Notice> {
        let expired = sort_like_menu(&self.expiries().take_due(now), servers);
        let questions = self.questions().take_due(now);
        let mut notices: Vec<Notice> =
            questions.iter().map(|question| text::question_notice(question, has_clicks)).collect();
        if !expired.is_empty() {
            notices.push(text::expiry_notice(&expired, has_clicks));
        }
        if self.tray_notice.swap(false, Ordering::Relaxed) {
            notices.push(text::tray_notice());
        }
        notices
    }
}

/// Returns the expired services in the order of the tray's menu and with its labels. Leaves out removed services.
fn sort_like_menu(expired: &[ExpiredService], servers: &[ServerView]) -> Vec<ExpiredService> {
    let listed = servers.iter().filter_map(|server| {
        let service = expired.iter().find(|service| service.id == server.id)?;
        Some(ExpiredService { name: service_label(server, servers), ..service.clone() })
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use usher_api::NeedsSignIn;

    use super::*;
    use crate::sample_views::{needs, server, snapshot};

    #[test]
    fn remind_me_snoozes_all_services_of_the_notice_for_an_hour() {
        let expired = ["Notion", "Linear"].map(|name| server(name, needs(NeedsSignIn::Expired)));
        let queue = NoticeQueue::default();
        queue.apply_snapshot(&snapshot(expired.clone()));
        let shown_at = Instant::now() + expiries::GROUPING_DELAY;
        let shown = queue.take_due(shown_at, &expired, true);
        assert_eq!(
            shown.iter().map(|notice| notice.title.as_str()).collect::<Vec<_>>(),
            ["2 services need your attention"]
        );
        assert_eq!(shown[0].body, "Notion and Linear are waiting for you.");

        let clicked = Clicked { response: Response::Snooze, subjects: shown[0].subjects.clone() };
        assert_eq!(queue.respond(clicked, shown_at), None);
        let later = shown_at + expiries::SNOOZE;
        assert_eq!(queue.take_due(later - Duration::from_millis(1), &expired, true), []);
        assert_eq!(queue.take_due(later, &expired, true), shown);
    }

    #[test]
    fn a_removed_service_is_not_named() {
        let expired = ["Notion", "Linear"].map(|name| server(name, needs(NeedsSignIn::Expired)));
        let queue = NoticeQueue::default();
        queue.apply_snapshot(&snapshot(expired.clone()));
        let shown = queue.take_due(Instant::now() + expiries::GROUPING_DELAY, &expired[1..], true);
        assert_eq!(
            shown.into_iter().map(|notice| notice.title).collect::<Vec<_>>(),
            ["Linear needs you to sign in again"]
        );
    }
}
