//! The services whose sign-in expired or lacks a permission, or that ask for a secret, and when to show a notification about them: once per
//! expiry, grouped, and again after a snooze. Nothing is shown while the window is in front.
//!
//! This state is not stored. After a restart, the open expiries are shown again, even if they were snoozed.
//!
//! Functions get the current time as an argument. [`Expiries::apply_snapshot`] and [`Expiries::apply_server`] are
//! called with each change, and [`Expiries::take_due`] at the time of [`Expiries::due_at`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use usher_api::{NeedsSignIn, ServerId, ServerView, Snapshot, Status, Want};

/// How long a notification waits for further services, so that it can name them all.
pub const GROUPING_DELAY: Duration = Duration::from_secs(2);
pub const SNOOZE: Duration = Duration::from_secs(60 * 60);

/// A service in a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredService {
    pub id: ServerId,
    pub name: String,
    pub action: Want,
}

/// The current expiries, and when to show each of them.
#[derive(Debug, Default)]
pub struct Expiries {
    current: BTreeMap<ServerId, Expiry>,
    window_focused: bool,
}

/// An expired sign-in, a missing permission or a secret that is not allowed yet. The expiry begins when the service needs the person. It ends when the
/// service is connected again, signed out, disabled or removed.
#[derive(Debug)]
struct Expiry {
    name: String,
    action: Want,
    /// Whether the service needs the person now. `false` during a sign-in.
    open: bool,
    /// When to show the expiry; `None` once it was shown, or was due while the window had the focus.
    show_at: Option<Instant>,
}

impl Expiries {
    pub fn apply_snapshot(&mut self, snapshot: &Snapshot, now: Instant) {
        self.current.retain(|id, _| snapshot.servers.iter().any(|server| server.id == *id));
        for server in &snapshot.servers {
            self.apply_server(server, now);
        }
    }

    pub fn apply_server(&mut self, server: &ServerView, now: Instant) {
        match change(server) {
            Change::Begins(action) => self.begin(&server.id, &server.name, action, now),
            Change::Ends => self.remove(&server.id),
            Change::None => {
                if let Some(expiry) = self.current.get_mut(&server.id) {
                    expiry.open = false;
                }
            }
        }
    }

    /// Ends the expiry of a server.
    pub fn remove(&mut self, id: &ServerId) {
        self.current.remove(id);
    }

    fn begin(&mut self, id: &ServerId, name: &str, action: Want, now: Instant) {
        let expiry = self.current.entry(id.clone()).or_insert_with(|| Expiry {
            name: name.to_owned(),
            action,
            open: true,
            show_at: Some(now + GROUPING_DELAY),
        });
        expiry.open = true;
        if expiry.action != action {
            expiry.action = action;
            expiry.show_at = Some(now + GROUPING_DELAY);
        }
        name.clone_into(&mut expiry.name);
    }

    /// Sets whether the window has the focus. A focused window shows the expiries itself.
    pub fn set_window_focused(&mut self, focused: bool) {
        self.window_focused = focused;
    }

    /// Returns the time at which the next expiry is due, if nothing changes before then.
    pub fn due_at(&self) -> Option<Instant> {
        self.current.values().filter(|expiry| expiry.open).filter_map(|expiry| expiry.show_at).min()
    }

    /// Takes the services that are due now, for one notification. Usually there are none.
    pub fn take_due(&mut self, now: Instant) -> Vec<ExpiredService> {
        if self.due_at().is_none_or(|due_at| due_at > now) {
            return Vec::new();
        }
        let mut due = Vec::new();
        for (id, expiry) in &mut self.current {
            // Includes the services that are due shortly afterwards, but not the snoozed ones.
            let is_due_soon = expiry.show_at.is_some_and(|show_at| show_at <= now + GROUPING_DELAY);
            if expiry.open && is_due_soon {
                expiry.show_at = None;
                due.push(ExpiredService { id: id.clone(), name: expiry.name.clone(), action: expiry.action });
            }
        }
        if self.window_focused { Vec::new() } else { due }
    }

    /// Schedules these services for `at`, if they still need the person then: after a snooze, or after their
    /// notification failed or was lost.
    pub fn schedule(&mut self, ids: &[ServerId], at: Instant) {
        for id in ids {
            if let Some(expiry) = self.current.get_mut(id) {
                expiry.show_at = Some(at);
            }
        }
    }

    /// Whether one of these services still needs the person. If none does, their notification is closed.
    pub fn any_open(&self, ids: &[ServerId]) -> bool {
        ids.iter().any(|id| self.current.get(id).is_some_and(|expiry| expiry.open))
    }
}

/// The effect of a server's state on its expiry.
enum Change {
    Begins(Want),
    /// No expiry begins or ends. A current expiry is no longer open.
    None,
    Ends,
}

/// Returns the effect of a server's state. A missing sign-in is not an expiry if the person signed out or never signed
/// in. A denied sign-in does not end an expiry.
fn change(server: &ServerView) -> Change {
    match server.status {
        Status::NeedsSignIn { reason } => match reason {
            NeedsSignIn::Expired
            | NeedsSignIn::RegistrationLost
            | NeedsSignIn::RefreshInterrupted
            | NeedsSignIn::RefreshRejected => Change::Begins(Want::SignIn),
            NeedsSignIn::InsufficientScope => Change::Begins(Want::Permission),
            NeedsSignIn::Denied => Change::None,
            NeedsSignIn::NeverSignedIn | NeedsSignIn::SignedOut => Change::Ends,
        },
        Status::Connected { .. } if server.permission.is_some() => Change::Begins(Want::Permission),
        // The error of one call, which the next call may clear. The tray and the window show it.
        Status::Connected { .. } if server.wants.is_some() => Change::None,
        Status::Connected { .. } | Status::Disabled => Change::Ends,
        Status::Failed { .. } if server.wants == Some(Want::AllowSecret) => Change::Begins(Want::AllowSecret),
        Status::Failed { .. } if server.wants == Some(Want::Approve) => Change::Begins(Want::Approve),
        Status::Paused
        | Status::Connecting
        | Status::SigningIn { .. }
        | Status::Reconnecting { .. }
        | Status::Failed { .. } => Change::None,
    }
}

#[cfg(test)]
mod tests;
