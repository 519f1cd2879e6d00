//! When to tell of services that need the person: once an expiry, together where several come at once, later after a
//! snooze, and never while the window is in front.
//!
//! Nothing of it is kept: a new start tells again what still goes on, snoozed or not, since the person is there anew.
//!
//! Time is passed in. Whoever shows notifications calls [`Expiries::note`] with each snapshot, [`Expiries::due`] when
//! [`Expiries::next`] has come, and shows what that answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use usher_api::{NeedsSignIn, ServerId, ServerView, Snapshot, Status};

use crate::need::{self, Need};

/// How long others are waited for, so that one notification tells of all.
pub const TOGETHER: Duration = Duration::from_secs(2);
/// How long "Later" is.
pub const SNOOZE: Duration = Duration::from_secs(60 * 60);

/// One service that a notification names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: ServerId,
    pub name: String,
    pub need: Need,
}

/// The expiries that go on, and what was told of them.
#[derive(Debug, Default)]
pub struct Expiries {
    going_on: BTreeMap<ServerId, Expiry>,
    window_in_front: bool,
}

/// From the moment that a service needs the person until it is connected again.
#[derive(Debug)]
struct Expiry {
    name: String,
    need: Need,
    /// Whether it needs the person this very moment; not while a sign-in is under way.
    open: bool,
    /// When to tell of it; `None` once that is done.
    tell_at: Option<Instant>,
}

impl Expiries {
    /// Takes in how everything is.
    pub fn note(&mut self, snapshot: &Snapshot, now: Instant) {
        self.going_on.retain(|id, _| snapshot.servers.iter().any(|server| server.id == *id));
        for server in &snapshot.servers {
            self.note_server(server, now);
        }
    }

    /// Takes in how one server is.
    pub fn note_server(&mut self, server: &ServerView, now: Instant) {
        match of_server(server) {
            Said::Needs(need) => self.begin(&server.id, &server.name, need, now),
            Said::Over => self.forget(&server.id),
            Said::Quiet => {
                if let Some(expiry) = self.going_on.get_mut(&server.id) {
                    expiry.open = false;
                }
            }
        }
    }

    /// The server is gone, or all is well with it.
    pub fn forget(&mut self, id: &ServerId) {
        self.going_on.remove(id);
    }

    fn begin(&mut self, id: &ServerId, name: &str, need: Need, now: Instant) {
        let expiry = self.going_on.entry(id.clone()).or_insert_with(|| Expiry {
            name: name.to_owned(),
            need,
            open: true,
            tell_at: Some(now + TOGETHER),
        });
        expiry.open = true;
        if expiry.need != need {
            expiry.need = need;
            expiry.tell_at = Some(now + TOGETHER);
        }
        name.clone_into(&mut expiry.name);
    }

    /// What would be told while the window is in front, the person sees there.
    pub fn window_in_front(&mut self, in_front: bool) {
        self.window_in_front = in_front;
    }

    /// When [`Expiries::due`] has something to say, if nothing changes before that.
    pub fn next(&self) -> Option<Instant> {
        self.going_on.values().filter(|expiry| expiry.open).filter_map(|expiry| expiry.tell_at).min()
    }

    /// The services to tell of now, in one notification; none most of the time.
    pub fn due(&mut self, now: Instant) -> Vec<Named> {
        if self.next().is_none_or(|next| next > now) {
            return Vec::new();
        }
        let mut named = Vec::new();
        for (id, expiry) in &mut self.going_on {
            // Who comes a moment later is told of with the rest. A snooze of another one is kept.
            let soon = expiry.tell_at.is_some_and(|tell_at| tell_at <= now + TOGETHER);
            if expiry.open && soon {
                expiry.tell_at = None;
                named.push(Named { id: id.clone(), name: expiry.name.clone(), need: expiry.need });
            }
        }
        if self.window_in_front { Vec::new() } else { named }
    }

    /// These are told of again at that moment, if they still need the person: they said "Later", or never saw it.
    pub fn tell_again(&mut self, ids: &[ServerId], at: Instant) {
        for id in ids {
            if let Some(expiry) = self.going_on.get_mut(id) {
                expiry.tell_at = Some(at);
            }
        }
    }

    /// Whether one of these still needs the person; where none does, its notification is of no use any more.
    pub fn any_open(&self, ids: &[ServerId]) -> bool {
        ids.iter().any(|id| self.going_on.get(id).is_some_and(|expiry| expiry.open))
    }
}

enum Said {
    Needs(Need),
    /// Neither begins an expiry nor ends one.
    Quiet,
    Over,
}

/// A sign-in that never was, or that the person ended, is no expiry; a refusal ends none.
fn of_server(server: &ServerView) -> Said {
    match server.status {
        Status::NeedsSignIn { reason } => match reason {
            NeedsSignIn::Expired | NeedsSignIn::RegistrationLost | NeedsSignIn::RefreshInterrupted => {
                Said::Needs(Need::SignIn)
            }
            NeedsSignIn::MorePermissionNeeded => Said::Needs(Need::MorePermission),
            NeedsSignIn::Refused => Said::Quiet,
            NeedsSignIn::NeverSignedIn | NeedsSignIn::SignedOut => Said::Over,
        },
        Status::Connected { .. } if server.permission.is_some() => Said::Needs(Need::MorePermission),
        // What one call said and the next may take back; the tray and the window show it.
        Status::Connected { .. } if need::of_connected(server).is_some() => Said::Quiet,
        Status::Connected { .. } => Said::Over,
        Status::Disabled | Status::Unsupported { .. } => Said::Over,
        Status::Paused
        | Status::Connecting
        | Status::SigningIn { .. }
        | Status::Reconnecting { .. }
        | Status::Failed { .. } => Said::Quiet,
    }
}

#[cfg(test)]
mod tests;
