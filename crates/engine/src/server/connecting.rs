//! How a server comes up and goes down: connecting, letting go, pausing, and coming back after a sleep.

use std::sync::Arc;

use super::Outcome;
use super::connect::{Opened, connect, revive};
use super::phase::{Job, Live, Phase};
use super::task::ServerTask;
use crate::connection::Connection;
use crate::connection::changes::List;
use crate::describe::error;
use crate::server::site::Place;
use crate::{Code, ErrorView};

impl ServerTask {
    /// The task's first step.
    pub fn begin(&mut self) {
        if self.shared.board.is_paused() {
            self.phase = Phase::Paused;
        } else if let Some(place) = self.place.clone() {
            self.phase = Phase::Connecting { job: self.connect_job(place, false) };
        }
    }

    /// A job that connects; `fresh` fills the holes of `mcp.json` anew.
    pub fn connect_job(&mut self, place: Arc<Place>, fresh: bool) -> Job {
        self.job(async move {
            if fresh {
                place.renew_site();
            }
            Outcome::Connected(connect(&place).await)
        })
    }

    /// A job that goes on with a new sign-in: over the connection that there is, where there is one.
    pub fn go_on_job(&mut self, place: Arc<Place>) -> Job {
        let at_hand = self.live_mut().map(|live| Arc::clone(&live.connection)).or(self.parked.clone());
        match at_hand {
            Some(connection) => self.job(async move { Outcome::Connected(revive(&place, connection).await) }),
            None => self.connect_job(place, false),
        }
    }

    pub fn disconnect(&mut self) {
        if self.place.is_some() {
            self.let_go(&error(
                Code::ServerUnreachable,
                format!("{} was disconnected.", self.name()),
                "Connect it, then try again.",
            ));
            self.phase = Phase::Disabled;
        }
    }

    pub fn pause(&mut self) {
        if !matches!(self.phase, Phase::Disabled | Phase::Unsupported { .. }) {
            self.let_go(&paused());
            self.phase = Phase::Paused;
        }
    }

    pub fn go_on(&mut self) {
        if matches!(self.phase, Phase::Paused) {
            self.begin();
        }
    }

    /// Ends whatever runs; calls under way end with their connection.
    fn let_go(&mut self, why: &ErrorView) {
        self.cancel_sign_in();
        self.refuse_calls(why);
        self.forget_jobs();
        self.signed_in_anew = false;
        let connections = [self.live_mut().map(|live| Arc::clone(&live.connection)), self.parked.take()];
        for connection in connections.into_iter().flatten() {
            connection.end_now();
        }
    }

    pub fn connect_again(&mut self) {
        let Some(place) = self.place.clone() else { return };
        match &self.phase {
            // Somebody is in the browser; this does not take it from them.
            Phase::SigningIn(_) | Phase::Connecting { .. } | Phase::Unsupported { .. } | Phase::Paused => {}
            Phase::Disabled
            | Phase::NeedsSignIn { .. }
            | Phase::Connected(_)
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => {
                self.attempt = 0;
                // The old connection and its sign-in go before the new ones come.
                self.phase = Phase::Disabled;
                self.parked = None;
                self.phase = Phase::Connecting { job: self.connect_job(place, true) };
            }
        }
    }

    /// After a sleep or an outage. A connection looks alive for minutes after it died: a new one takes its place, and
    /// until that is there the old one serves, in case it lives.
    pub fn rejoin(&mut self) {
        let Some(place) = self.place.clone() else { return };
        self.hurry_renewal();
        // Not worth a wait: the next sign-in makes a new one.
        self.parked = None;
        match &self.phase {
            Phase::Reconnecting { .. } => {
                self.attempt = 0;
                self.try_again();
            }
            Phase::Connected(_) => {
                let job = self.connect_job(place, false);
                if let Phase::Connected(live) = &mut self.phase {
                    live.successor = Some(job);
                }
            }
            // A captive portal looks like a broken service until one is through it.
            Phase::Failed { error, .. } if error.code != Code::ConfigInvalid => self.connect_again(),
            Phase::Failed { .. }
            | Phase::Disabled
            | Phase::Paused
            | Phase::Unsupported { .. }
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::SigningIn(_) => {}
        }
    }

    /// The wait between two tries is over. The status stays as it is until the try succeeds or fails.
    pub fn try_again(&mut self) {
        let Some(place) = self.place.clone() else { return };
        let job = self.connect_job(place, false);
        match &mut self.phase {
            Phase::Reconnecting { job: wait, for_renewal, .. } => {
                *wait = job;
                *for_renewal = false;
            }
            Phase::Failed { next_try, .. } => *next_try = Some(job),
            Phase::Disabled
            | Phase::Paused
            | Phase::Unsupported { .. }
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::SigningIn(_)
            | Phase::Connected(_) => {}
        }
    }

    pub fn connected(&mut self, opened: Opened) {
        let Opened { connection, tools } = opened;
        self.attempt = 0;
        self.lost = None;
        self.step_ups = 0;
        if std::mem::take(&mut self.signed_in_anew) {
            self.permission_given();
        }
        if self.waiting_calls.is_empty() {
            self.step_up = None;
        }
        self.last_error = None;
        self.parked = None;
        self.title = connection.title().or(self.title.take());
        self.is_connected_anew = true;
        let since = match &self.phase {
            Phase::Connected(live) => live.since,
            _ => self.shared.options.clock.now(),
        };
        self.phase = Phase::Connected(Live { connection, tools, since, successor: None });
    }

    pub fn tools_listed(&mut self, connection: &Arc<Connection>) {
        if let Some(live) = self.live_mut()
            && Arc::ptr_eq(&live.connection, connection)
            && let Some(tools) = connection.listed()
        {
            live.tools = tools;
        }
    }

    pub fn list_changed(&mut self, connection: &Arc<Connection>, list: List) {
        if !self.is_current(connection) {
            return;
        }
        match list {
            // Told when the new ones are listed.
            List::Tools => {}
            List::Resources => self.shared.board.change_resources(&self.id),
            List::Prompts => self.shared.board.change_prompts(&self.id),
        }
    }

    pub fn secrets_changed(&mut self, named: Option<&str>) {
        if named.is_none() {
            // What failed for want of the store is not to wait for its next try, nor to fail with what it remembers.
            self.hurry_renewal();
        }
        let concerns_us = match named {
            Some(name) => self.place.as_ref().is_some_and(|place| place.secret_names().contains(&name)),
            None => match &self.phase {
                Phase::Failed { error, .. } => {
                    matches!(error.code, Code::KeychainLocked | Code::KeychainUnavailable)
                }
                _ => false,
            },
        };
        if concerns_us && !matches!(self.phase, Phase::Disabled) {
            self.connect_again();
        }
    }
}

/// What callers are told while everything is paused.
pub(super) fn paused() -> ErrorView {
    error(Code::ServerUnreachable, "Usher is paused.", "Let it go on, then try again.")
}
