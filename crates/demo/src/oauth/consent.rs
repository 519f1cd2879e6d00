//! The consent endpoint: shows the consent page and receives its form.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::authorization_request::AuthorizationRequest;
use super::codes;
use super::consent_page;
use super::error::no_store;
use super::page;
use super::parameters::Parameters;
use crate::service::Service;

/// Shows the consent page.
pub(crate) fn ask(service: &Service, request: AuthorizationRequest) -> Response {
    let ticket = service.pending_consents.add(request.clone(), service.clock.now());
    consent_page::render(&request, &ticket)
}

/// `POST /authorize`: the page's form, with `ticket` and `decision` (`allow` or `deny`).
pub(crate) async fn decide(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    // Browsers state in this header whether the form came from the same origin. Other programs omit the header.
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
                let code = codes::issue(&service.codes, request.clone(), now);
                request.response_uri(&[("code", &code)], &service.issuer)
            } else {
                let denied =
                    [("error", "access_denied"), ("error_description", "The person denied the request")];
                request.response_uri(&denied, &service.issuer)
            }
        });
    match destination {
        Some(destination) => (no_store(), Redirect::to(&destination)).into_response(),
        None => page::error("This page has expired", "Go back to the app and start the sign-in again."),
    }
}
