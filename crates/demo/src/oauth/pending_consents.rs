//! The consent pages that are open.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use super::authorization_request::AuthorizationRequest;
use super::signing::random_id;
use crate::clock::saturating_add;
use crate::memory;

/// The time after which the buttons of an open page stop working.
const CONSENT_TIMEOUT: Duration = Duration::from_secs(600);
const CAPACITY: usize = 500;

struct PendingConsent {
    ticket: String,
    request: AuthorizationRequest,
    /// The address of the first redirect. A private-use scheme leaves the tab open. Pressing a button again repeats
    /// this redirect and never issues a second code.
    redirected_to: Option<String>,
    expires_at: Timestamp,
}

/// The open consent pages, oldest first. The ticket prevents cross-site request forgery: it belongs to one request,
/// cannot be guessed, and cannot be read from another origin.
#[derive(Default)]
pub(crate) struct PendingConsents(Mutex<VecDeque<PendingConsent>>);

impl PendingConsents {
    pub(super) fn add(&self, request: AuthorizationRequest, now: Timestamp) -> String {
        let ticket = random_id();
        let consent = PendingConsent {
            ticket: ticket.clone(),
            request,
            redirected_to: None,
            expires_at: saturating_add(now, CONSENT_TIMEOUT),
        };
        memory::push(&mut memory::lock(&self.0), consent, CAPACITY);
        ticket
    }

    /// Returns the redirect address, or `None` if the ticket is unknown or expired. Calls `decide` only once for each
    /// ticket.
    pub(super) fn decide(
        &self,
        ticket: &str,
        now: Timestamp,
        decide: impl FnOnce(&AuthorizationRequest) -> String,
    ) -> Option<String> {
        let mut consents = memory::lock(&self.0);
        let consent = consents.iter_mut().find(|consent| consent.ticket == ticket)?;
        if consent.expires_at <= now {
            return None;
        }
        Some(consent.redirected_to.get_or_insert_with(|| decide(&consent.request)).clone())
    }
}
