//! The inputs of the next sign-in: the server's challenge, the reason, and a connection to continue with.

use std::sync::Arc;

use usher_api::NeedsSignIn;
use usher_oauth::Challenge;

use crate::connection::Connection;

#[derive(Default)]
pub(super) struct NextSignIn {
    /// The challenge of the last 401. A 401 without one counts as an empty challenge.
    challenge: Option<Challenge>,
    /// The reason why a sign-in is needed.
    reason: Option<NeedsSignIn>,
    /// The connection whose grant ended or was rejected. The next sign-in continues with it, so that the server's
    /// session survives.
    connection: Option<Arc<Connection>>,
    /// The number of sign-ins without a person that failed in a row.
    failures: u32,
}

impl NextSignIn {
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    pub fn set_challenge(&mut self, challenge: Challenge) {
        self.challenge = Some(challenge);
    }

    pub fn reason(&self) -> Option<NeedsSignIn> {
        self.reason
    }

    pub fn set_reason(&mut self, reason: NeedsSignIn) {
        self.reason = Some(reason);
    }

    /// Returns the reason, and sets it to `fallback` if there is none.
    pub fn reason_or(&mut self, fallback: NeedsSignIn) -> NeedsSignIn {
        *self.reason.get_or_insert(fallback)
    }

    /// Records a failed sign-in without a person, and returns the number of failures in a row.
    pub fn note_failure(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    pub fn connection(&self) -> Option<Arc<Connection>> {
        self.connection.clone()
    }

    /// Sets the connection that a sign-in can continue with, or none.
    pub fn set_connection(&mut self, connection: Option<Arc<Connection>>) {
        self.connection = connection;
    }

    pub fn take_connection(&mut self) -> Option<Arc<Connection>> {
        self.connection.take()
    }

    /// Resets the values that a new connection makes obsolete. The challenge stays, because it shows that the server
    /// needs a sign-in.
    pub fn connected(&mut self) {
        self.reason = None;
        self.connection = None;
        self.failures = 0;
    }
}
