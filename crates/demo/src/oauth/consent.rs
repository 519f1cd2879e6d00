//! The person's decision: the question is asked on a page, and its answer comes back in the page's form.

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

/// How long the page may stay open before its buttons stop working.
const PATIENCE: Duration = Duration::from_secs(600);
const CAPACITY: usize = 500;

struct Question {
    request: AuthorizationRequest,
    /// Where the person was sent. Pressing again, in the tab that a private-use scheme leaves open, goes there once
    /// more; it never makes a second code.
    answered_with: Option<String>,
    expires_at: Timestamp,
}

/// The questions on open pages, by a ticket that only the page knows. The ticket is what keeps other websites from
/// pressing Allow: it is bound to one request, cannot be guessed, and cannot be read from another origin.
#[derive(Default)]
pub(crate) struct Questions {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    questions: HashMap<String, Question>,
    oldest_first: VecDeque<String>,
}

impl Questions {
    fn put(&self, request: AuthorizationRequest, now: Timestamp) -> String {
        let ticket = random_id();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.oldest_first.len() == CAPACITY
            && let Some(oldest) = memory.oldest_first.pop_front()
        {
            memory.questions.remove(&oldest);
        }
        memory.oldest_first.push_back(ticket.clone());
        let question = Question { request, answered_with: None, expires_at: later(now, PATIENCE) };
        memory.questions.insert(ticket.clone(), question);
        ticket
    }

    /// Where the person goes, decided by `decide` the first time and remembered from then on.
    fn answer(
        &self,
        ticket: &str,
        now: Timestamp,
        decide: impl FnOnce(&AuthorizationRequest) -> String,
    ) -> Option<String> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let question = memory.questions.get_mut(ticket).filter(|question| now < question.expires_at)?;
        Some(question.answered_with.get_or_insert_with(|| decide(&question.request)).clone())
    }
}

/// Shows the page that asks.
pub(crate) fn ask(service: &Service, request: AuthorizationRequest) -> Response {
    let ticket = service.questions.put(request.clone(), service.clock.now());
    consent_page::render(&request, &ticket)
}

/// `POST /authorize`: the form of the page, with `ticket` and `decision` (`allow` or `deny`).
pub(crate) async fn decide(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    // Browsers say where a form was sent from; other programs leave the header out.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return (
            StatusCode::FORBIDDEN,
            page::error("This did not come from our page", "Nothing was allowed. You can close this tab."),
        )
            .into_response();
    }
    let form = Parameters::parse(&body);
    let allowed = match form.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => {
            return page::error("That was neither yes nor no", "Go back and press one of the buttons.");
        }
    };
    let now = service.clock.now();
    let destination = service.questions.answer(form.get("ticket").unwrap_or_default(), now, |request| {
        if allowed {
            let code = service.codes.issue(request.clone(), now);
            request.answer(&[("code", &code)], service.issuer())
        } else {
            let denied = [("error", "access_denied"), ("error_description", "The person said no")];
            request.answer(&denied, service.issuer())
        }
    });
    match destination {
        Some(destination) => (no_store(), Redirect::to(&destination)).into_response(),
        None => page::error(
            "This question is no longer open",
            "It was asked too long ago. Go back to the app and start the sign-in again.",
        ),
    }
}
