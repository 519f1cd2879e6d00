//! The consent pages that are open.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::authorization_request::AuthorizationRequest;
use super::signing::random_id;
use crate::clock::later;

/// The time after which the buttons of an open page stop working.
const CONSENT_TIMEOUT: Duration = Duration::from_secs(600);
const CAPACITY: usize = 500;

struct PendingConsent {
    request: AuthorizationRequest,
    /// The address of the first redirect. A private-use scheme leaves the tab open. Pressing a button again repeats
    /// this redirect and never issues a second code.
    redirected_to: Option<String>,
    expires_at: Timestamp,
}

/// The open consent pages, by ticket. The ticket prevents cross-site request forgery: it belongs to one request,
/// cannot be guessed, and cannot be read from another origin.
#[derive(Default)]
pub(crate) struct PendingConsents {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    consents: HashMap<String, PendingConsent>,
    oldest_first: VecDeque<String>,
}

impl PendingConsents {
    pub(super) fn add(&self, request: AuthorizationRequest, now: Timestamp) -> String {
        let ticket = random_id();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.oldest_first.len() == CAPACITY
            && let Some(oldest) = memory.oldest_first.pop_front()
        {
            memory.consents.remove(&oldest);
        }
        memory.oldest_first.push_back(ticket.clone());
        let consent =
            PendingConsent { request, redirected_to: None, expires_at: later(now, CONSENT_TIMEOUT) };
        memory.consents.insert(ticket.clone(), consent);
        ticket
    }

    /// Returns the redirect address. Calls `decide` only once for each ticket.
    pub(super) fn decide(
        &self,
        ticket: &str,
        now: Timestamp,
        decide: impl FnOnce(&AuthorizationRequest) -> String,
    ) -> Option<String> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let consent = memory.consents.get_mut(ticket).filter(|consent| now < consent.expires_at)?;
        Some(consent.redirected_to.get_or_insert_with(|| decide(&consent.request)).clone())
    }
}
