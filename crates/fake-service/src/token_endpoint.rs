//! The token endpoint, with one-time codes, rotating refresh tokens and planned faults.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::lock::lock;
use crate::request::Request;
use crate::state::Shared;
use crate::wire::{End, Wire};
use crate::{FamilyId, Moment, Outcome, Reply, TokenFault};

/// The number of pieces of a slow response.
const PIECES: usize = 5;

#[derive(Deserialize)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
enum TokenRequest {
    AuthorizationCode {
        client_id: String,
        resource: String,
        code: String,
        code_verifier: String,
        redirect_uri: String,
    },
    RefreshToken {
        client_id: String,
        resource: String,
        refresh_token: String,
    },
}

pub(crate) async fn respond(shared: &Shared, wire: &Wire, request: &Request) -> Response {
    let parameters = request.form().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    let Ok(request) = serde_json::from_value(Value::Object(parameters)) else {
        return Reply::oauth_error(400, "invalid_request").into_response();
    };
    let response = match &request {
        TokenRequest::AuthorizationCode { resource, .. } | TokenRequest::RefreshToken { resource, .. }
            if *resource != shared.resource() =>
        {
            Reply::oauth_error(400, "invalid_target").into_response()
        }
        TokenRequest::AuthorizationCode { client_id, code, code_verifier, redirect_uri, .. } => {
            exchange(shared, client_id, code, code_verifier, redirect_uri).into_response()
        }
        TokenRequest::RefreshToken { client_id, refresh_token, .. } => {
            refresh(shared, wire, client_id, refresh_token).await
        }
    };
    shared.gate.pass().await;
    response
}

fn exchange(shared: &Shared, client_id: &str, code: &str, verifier: &str, redirect_uri: &str) -> Reply {
    // A code works only once.
    let code = lock(&shared.clients).codes.remove(code);
    let is_valid = code.is_some_and(|code| {
        code.client_id == client_id
            && code.redirect_uri == redirect_uri
            && code.challenge == BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
    });
    if !is_valid {
        return Reply::oauth_error(400, "invalid_grant");
    }
    let issued = shared.ledger.issue(client_id);
    Reply::json(shared.tokens(issued.family, 0))
}

async fn refresh(shared: &Shared, wire: &Wire, client_id: &str, refresh_token: &str) -> Response {
    let known = shared.ledger.parse_refresh_token(refresh_token);
    let Some((family, presented)) = known.filter(|(family, _)| shared.ledger.belongs_to(*family, client_id))
    else {
        return Reply::oauth_error(400, "invalid_grant").into_response();
    };
    if let Some((_, action)) = shared.take_breakpoint(family, |moment| moment == Moment::Arrived) {
        action();
    }
    let swallowed = |moment| matches!(moment, Moment::Swallowed { .. });
    if let Some((moment, action)) = shared.take_breakpoint(family, swallowed) {
        action();
        if moment == (Moment::Swallowed { carried_out: true }) {
            shared.ledger.rotate(family, presented, wire.connected);
        }
        return Reply::silent().into_response();
    }
    match shared.next_fault(family) {
        Some(TokenFault::Revoked) => shared.ledger.revoke(family),
        Some(TokenFault::Slow(time)) => {
            return send_slowly(carry_out(shared, wire, family, presented), time).await;
        }
        Some(TokenFault::AfterCommit(bad)) => {
            let outcome = shared.ledger.rotate(family, presented, wire.connected);
            return bad.respond(shared.response_to(family, outcome), wire);
        }
        Some(TokenFault::BeforeCommit(bad)) => {
            shared.ledger.record_not_carried_out(family, presented, wire.connected);
            return bad.respond((200, shared.tokens(family, presented)), wire);
        }
        None => {}
    }
    carry_out(shared, wire, family, presented)
}

fn carry_out(shared: &Shared, wire: &Wire, family: FamilyId, presented: u32) -> Response {
    let outcome = shared.ledger.rotate(family, presented, wire.connected);
    if matches!(outcome, Outcome::Rejected(_)) {
        shared.ledger.record_rejection_sent(family);
    } else {
        let is_now = |moment| matches!(moment, Moment::Committed | Moment::InReply { .. } | Moment::Replied);
        match shared.take_breakpoint(family, is_now) {
            Some((Moment::InReply { after }, action)) => wire.break_off(after, End::Hold(Some(action))),
            Some((Moment::Replied, action)) => wire.run_when_sent(action),
            Some((_, action)) => {
                action();
                return Reply::silent().into_response();
            }
            None => {}
        }
    }
    let (status, body) = shared.response_to(family, outcome);
    Reply::json_with(status, body).into_response()
}

/// Sends a response in pieces. Its headers contain the full length.
async fn send_slowly(response: Response, time: Duration) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let length = bytes.len().div_ceil(PIECES).max(1);
    let pieces: Vec<_> = bytes.chunks(length).map(|piece| bytes.slice_ref(piece)).collect();
    let interval = time / u32::try_from(PIECES).unwrap_or(1);
    let stream = futures::stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(interval).await;
        Ok::<_, std::io::Error>(piece)
    });
    Response::from_parts(parts, Body::from_stream(stream))
}

impl Shared {
    /// Returns the correct response to a refresh: its status and body.
    fn response_to(&self, family: FamilyId, outcome: Outcome) -> (u16, Value) {
        match outcome {
            Outcome::Rotated { to } | Outcome::Reissued { to } => (200, self.tokens(family, to)),
            Outcome::Rejected(_) | Outcome::NotCarriedOut => (400, json!({ "error": "invalid_grant" })),
        }
    }

    fn tokens(&self, family: FamilyId, number: u32) -> Value {
        let (access_token, refresh_token) = self.ledger.tokens(family, number);
        json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.options.access_token_lifetime.as_secs(),
            "refresh_token": refresh_token,
        })
    }
}
