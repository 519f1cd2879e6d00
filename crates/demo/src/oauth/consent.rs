//! The consent endpoint: shows the consent page and receives its form.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::authorize::AuthorizationRequest;
use super::consent_page;
use super::error::no_store;
use super::page;
use super::parameters::Parameters;
use super::signing::random_id;
use crate::clock::later;
use crate::service::Service;

/// How long the buttons of an open page work.
const CONSENT_TIMEOUT: Duration = Duration::from_secs(600);
const CAPACITY: usize = 500;

struct PendingConsent {
    request: AuthorizationRequest,
    /// The address of the first redirect. A private-use scheme leaves the tab open, and pressing again repeats the
    /// same redirect. It never issues a second code.
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
    fn add(&self, request: AuthorizationRequest, now: Timestamp) -> String {
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

    /// The redirect address. `decide` runs only once for each ticket.
    fn decide(
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

/// Shows the consent page.
pub(crate) fn ask(service: &Service, request: AuthorizationRequest) -> Response {
    let ticket = service.pending_consents.add(request.clone(), service.clock.now());
    consent_page::render(&request, &ticket)
}

/// `POST /authorize`: the page's form, with `ticket` and `decision` (`allow` or `deny`).
pub(crate) async fn decide(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    // Browsers send the form's origin. Other programs omit the header.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return (
            StatusCode::FORBIDDEN,
            page::error(
                "The request came from another website",
                "Nothing was allowed. You can close this tab.",
            ),
        )
            .into_response();
    }
    let form = Parameters::parse(&body);
    let allowed = match form.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => {
            return page::error("No decision", "Go back and press one of the buttons.");
        }
    };
    let now = service.clock.now();
    let destination =
        service.pending_consents.decide(form.get("ticket").unwrap_or_default(), now, |request| {
            if allowed {
                let code = service.codes.issue(request.clone(), now);
                request.response(&[("code", &code)], service.issuer())
            } else {
                let denied =
                    [("error", "access_denied"), ("error_description", "The person denied the request")];
                request.response(&denied, service.issuer())
            }
        });
    match destination {
        Some(destination) => (no_store(), Redirect::to(&destination)).into_response(),
        None => page::error("This page has expired", "Go back to the app and start the sign-in again."),
    }
}
