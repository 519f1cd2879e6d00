//! Transitions of a connection: connecting, disconnecting, pausing, and reconnecting after a sleep.

use std::sync::Arc;

use usher_api::{Code, ErrorView};
use usher_config::{Placeholder, PlaceholderUse};
use usher_oauth::Challenge;

use super::jobs::Job;
use super::message::Outcome;
use super::phase::{Live, Phase};
use super::state::ServerTask;
use crate::connection::list_changes::List;
use crate::connection::{Connection, Opened};
use crate::words;

impl ServerTask {
    /// Enters the first phase: paused if all servers are paused, otherwise connecting.
    pub fn begin(&mut self) {
        if self.context.board.is_paused() {
            self.phase.enter(Phase::Paused);
        } else {
            self.enter_connecting();
        }
    }

    fn enter_connecting(&mut self) {
        let job = self.connect_job();
        self.phase.enter(Phase::Connecting { job });
    }

    /// Starts a job that opens a connection.
    pub fn connect_job(&mut self) -> Job {
        self.open_job(None)
    }

    /// Starts a job that continues with a new grant, over the current connection if there is one.
    pub fn continue_job(&mut self, live: Option<&Live>) -> Job {
        self.open_job(live.map(|live| Arc::clone(&live.connection)).or(self.next_sign_in.connection()))
    }

    fn open_job(&mut self, open: Option<Arc<Connection>>) -> Job {
        let (endpoint, reports) = (self.endpoint.clone(), self.jobs.reports());
        self.jobs.run(async move { Outcome::Connected(endpoint.connect(open, reports).await) })
    }

    pub fn disconnect(&mut self) {
        if !matches!(self.phase.get(), Phase::Disabled) {
            self.close(&words::server::disconnected(&self.name()));
            self.phase.enter(Phase::Disabled);
        }
    }

    /// Closes everything if the person paused all servers, and begins again if they resumed them.
    pub fn pause_changed(&mut self) {
        let is_paused = matches!(self.phase.get(), Phase::Paused);
        if matches!(self.phase.get(), Phase::Disabled) || is_paused == self.context.board.is_paused() {
            return;
        }
        if !is_paused {
            self.close(&words::server::paused());
        }
        self.begin();
    }

    /// Ends the sign-in, the jobs and the connections. Running calls end with their connection.
    fn close(&mut self, why: &ErrorView) {
        self.cancel_sign_in();
        self.fail_waiting_calls(why);
        self.step_up.take_new_grant();
        self.jobs.ignore_outcomes();
        let connections = [self.phase.connection(), self.next_sign_in.take_connection()];
        for connection in connections.into_iter().flatten() {
            connection.close_now();
        }
    }

    pub fn connect_again(&mut self) {
        match self.phase.get() {
            // A running sign-in or connection attempt is not interrupted, and a pause is not ended.
            Phase::SigningIn(_) | Phase::Connecting { .. } | Phase::Paused => return,
            Phase::Disabled
            | Phase::NeedsSignIn { .. }
            | Phase::Connected(_)
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => {}
        }
        // The old connection and its session end before the new ones begin. A program must end, even if calls still
        // hold its connection.
        if let Some(old) = self.phase.connection().filter(|_| self.endpoint.program().is_some()) {
            old.close_now();
        }
        drop(self.phase.take());
        self.next_sign_in.set_connection(None);
        // An earlier fault of the refresh says nothing about the new attempt.
        self.refresh.stop();
        self.endpoint.mark_stale();
        self.enter_connecting();
    }

    /// Reconnects after a sleep or an outage. A dead connection may look alive for minutes, so a new connection
    /// replaces it. The old one stays in use until the new one is open.
    pub fn reconnect(&mut self) {
        self.retry_refresh_now();
        // The next sign-in opens a new connection.
        self.next_sign_in.set_connection(None);
        match self.phase.get() {
            Phase::Reconnecting { .. } => {
                self.phase.reset_attempts();
                self.try_again();
            }
            // A local program most likely still runs, and only one may run at a time.
            Phase::Connected(live) if self.endpoint.program().is_some() => {
                let connection = Arc::clone(&live.connection);
                let job = self.open_job(Some(connection));
                self.phase.replace_connection(job);
            }
            Phase::Connected(_) => {
                let job = self.connect_job();
                self.phase.replace_connection(job);
            }
            // A captive portal looks like a broken service until the person signs in to the network.
            Phase::Failed { error, .. }
                if !matches!(
                    error.code,
                    Code::ConfigInvalid | Code::SecretNotAllowed | Code::ApprovalNeeded | Code::ProcessExited
                ) =>
            {
                self.connect_again();
            }
            Phase::Failed { .. }
            | Phase::Disabled
            | Phase::Paused
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::SigningIn(_) => {}
        }
    }

    /// Tries again after a backoff.
    pub fn try_again(&mut self) {
        if matches!(self.phase.get(), Phase::Reconnecting { .. } | Phase::Failed { .. }) {
            let job = self.connect_job();
            self.phase.retry(job);
        }
    }

    pub fn connected(&mut self, opened: Opened) {
        let Opened { connection, tools } = opened;
        self.next_sign_in.connected();
        self.restore_call_challenge();
        if self.step_up.take_new_grant() {
            self.grant_permission();
        }
        self.step_up.connected();
        self.outbox.clear_error();
        self.outbox.set_title(connection.title());
        let since = match self.phase.get() {
            Phase::Connected(live) => live.since,
            _ => self.context.options.clock.now(),
        };
        self.phase.enter(Phase::Connected(Live::new(connection, tools, since)));
    }

    /// Restores the challenge of a call that an earlier run sent without a token.
    fn restore_call_challenge(&mut self) {
        let Some(resolved) = self.endpoint.http().and_then(|http| http.resolved()) else { return };
        let is_signed_in =
            resolved.credentials.as_ref().is_none_or(|credentials| credentials.held().is_some());
        if is_signed_in || self.next_sign_in.challenge().is_some() {
            return;
        }
        if let Some(address) = self.context.learned.call_challenge(&resolved.key) {
            let resource_metadata = (!address.is_empty()).then_some(address);
            self.next_sign_in.set_challenge(Challenge { resource_metadata, ..Default::default() });
        }
    }

    pub fn tools_listed(&mut self, connection: &Arc<Connection>) {
        if let Some(tools) = connection.listed_tools() {
            self.phase.set_tools(connection, tools);
        }
    }

    pub fn list_changed(&mut self, list: List) {
        match list {
            // Announced once the new tools are listed.
            List::Tools => {}
            List::Resources => self.context.board.resources_changed(&self.id),
            List::Prompts => self.context.board.prompts_changed(&self.id),
        }
    }

    /// The person allowed a secret. An entry that was refused one is tried again.
    pub fn secret_allowed(&mut self) {
        if self.waits_for_secret() {
            self.connect_again();
        }
    }

    /// Returns whether the entry sends a secret to an origin for which it is not allowed.
    pub fn waits_for_secret(&self) -> bool {
        matches!(self.phase.get(), Phase::Failed { error, .. } if error.code == Code::SecretNotAllowed)
    }

    pub fn secrets_changed(&mut self, named: Option<&Placeholder>) {
        if named.is_none() {
            // A refresh that failed because of the store is retried at once.
            self.retry_refresh_now();
        }
        let is_affected = match named {
            Some(placeholder) => self.endpoint.uses_placeholder(placeholder),
            None => match self.phase.get() {
                Phase::Failed { error, .. } => {
                    matches!(error.code, Code::KeychainLocked | Code::KeychainUnavailable)
                }
                _ => false,
            },
        };
        if is_affected {
            self.connect_with_new_values();
        }
    }

    /// The person withdrew the permission for a use of a secret. What uses it ends: a sign-in, the connection and its
    /// calls.
    pub fn secret_disallowed(&mut self, withdrawn: &PlaceholderUse) {
        if self.endpoint.sends(withdrawn) {
            self.end_uses_of_values();
        }
    }

    /// The person deleted a secret. What uses it ends.
    pub fn secret_deleted(&mut self, placeholder: &Placeholder) {
        if self.endpoint.uses_placeholder(placeholder) {
            self.end_uses_of_values();
        }
    }

    fn end_uses_of_values(&mut self) {
        // First of all: a connection that is dropped announces the end of its session with the headers of the entry.
        self.endpoint.withdraw_values();
        self.cancel_sign_in();
        if let Some(connection) = self.phase.connection() {
            connection.close_now();
        }
        self.connect_with_new_values();
    }

    /// Replaces the connection, or the running attempt, because the values of placeholders may no longer be used.
    fn connect_with_new_values(&mut self) {
        // A disabled server can still be signed out, which sends the client secret.
        self.endpoint.mark_stale();
        if matches!(self.phase.get(), Phase::Disabled) {
            return;
        }
        // A sign-in is not interrupted. The connection after it gets the new value.
        if matches!(self.phase.get(), Phase::Connecting { .. }) {
            // The running attempt may use the earlier value.
            let job = self.connect_job();
            self.phase.retry(job);
        } else {
            self.connect_again();
        }
    }
}
