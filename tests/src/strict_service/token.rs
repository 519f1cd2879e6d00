//! The token endpoint: the code once, each refresh token once, and the faults that are planned.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::wire::{End, Wire};
use super::{FamilyId, Moment, Outcome, Shared, TokenFault};

const PAGE: &str = "<!doctype html><title>Welcome</title><h1>Sign in to the network of this hotel</h1>";
/// In how many pieces a slow answer comes.
const PIECES: usize = 5;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: String,
    client_id: String,
    resource: String,
    refresh_token: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
}

pub(super) async fn token(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Form(request): Form<TokenRequest>,
) -> Response {
    if request.resource != shared.resource() {
        return refusal(StatusCode::BAD_REQUEST, "invalid_target");
    }
    match request.grant_type.as_str() {
        "authorization_code" => exchange(&shared, &request),
        "refresh_token" => refresh(&shared, &wire, &request).await,
        _ => refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    }
}

fn exchange(shared: &Shared, request: &TokenRequest) -> Response {
    let code = request.code.as_deref().and_then(|code| shared.issued().redeem(code));
    let is_right = code.is_some_and(|code| {
        let verifier = request.code_verifier.as_deref().unwrap_or_default();
        code.client_id == request.client_id
            && request.redirect_uri.as_deref() == Some(&*code.redirect_uri)
            && BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == code.challenge
    });
    if !is_right {
        return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let (family, number) = shared.ledger.begin(&request.client_id);
    Json(shared.tokens(family, number)).into_response()
}

async fn refresh(shared: &Shared, wire: &Wire, request: &TokenRequest) -> Response {
    let token = request.refresh_token.as_deref().unwrap_or_default();
    let Some((family, presented)) = shared.ledger.read_refresh_token(token) else {
        return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    if !shared.ledger.belongs_to(family, &request.client_id) {
        return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    if let Some((_, strike)) = shared.take_trap(family, |moment| moment == Moment::Passing) {
        strike();
    }
    if let Some((moment, strike)) =
        shared.take_trap(family, |moment| matches!(moment, Moment::Arrived { .. }))
    {
        strike();
        if moment == (Moment::Arrived { carried_out: true }) {
            shared.ledger.rotate(family, presented, wire.connected);
        }
        return never().await;
    }
    match shared.next_fault(family) {
        Some(TokenFault::Ended) => shared.ledger.end(family),
        Some(TokenFault::Slow(time)) => {
            return slowly(carry_out(shared, wire, family, presented).await, time).await;
        }
        Some(fault) if fault.is_after_commit() => {
            let answer = match shared.ledger.rotate(family, presented, wire.connected) {
                Outcome::Rotated { to } | Outcome::Again { to } => {
                    Json(shared.tokens(family, to)).into_response()
                }
                Outcome::Refused(_) | Outcome::NotReached => {
                    refusal(StatusCode::BAD_REQUEST, "invalid_grant")
                }
            };
            return after_commit(fault, answer, wire);
        }
        Some(fault) => {
            shared.ledger.not_reached(family, presented, wire.connected);
            return before_commit(fault, shared.tokens(family, presented), wire).await;
        }
        None => {}
    }
    carry_out(shared, wire, family, presented).await
}

async fn carry_out(shared: &Shared, wire: &Wire, family: FamilyId, presented: u32) -> Response {
    let to = match shared.ledger.rotate(family, presented, wire.connected) {
        Outcome::Rotated { to } | Outcome::Again { to } => to,
        Outcome::Refused(_) | Outcome::NotReached => {
            shared.ledger.told_refusal(family);
            return refusal(StatusCode::BAD_REQUEST, "invalid_grant");
        }
    };
    let is_now = |moment| matches!(moment, Moment::Committed | Moment::InReply { .. } | Moment::Replied);
    match shared.take_trap(family, is_now) {
        Some((Moment::InReply { after }, strike)) => wire.break_off(after, End::Hold(Some(strike))),
        Some((Moment::Replied, strike)) => wire.tell_when_sent(strike),
        Some((_, strike)) => {
            strike();
            return never().await;
        }
        None => {}
    }
    Json(shared.tokens(family, to)).into_response()
}

/// What comes instead of an answer. `tokens` are some that were never issued as an answer.
async fn before_commit(fault: TokenFault, tokens: Value, wire: &Wire) -> Response {
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match fault {
        TokenFault::Reset => {
            wire.break_off(0, End::Reset);
            ().into_response()
        }
        TokenFault::Closed => {
            wire.break_off(0, End::Close);
            ().into_response()
        }
        TokenFault::Status(code) => (status(code), "out of order").into_response(),
        TokenFault::RetryAfter(code, seconds) => {
            (status(code), [(header::RETRY_AFTER, seconds.to_string())], "later").into_response()
        }
        TokenFault::Html(code) => (status(code), Html(PAGE)).into_response(),
        TokenFault::Redirect => {
            (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:9/portal")]).into_response()
        }
        TokenFault::TruncatedTokens => truncated(Json(tokens).into_response(), wire),
        TokenFault::BrokenGzip => (
            [(header::CONTENT_ENCODING, "gzip"), (header::CONTENT_TYPE, "application/json")],
            "no gzip at all",
        )
            .into_response(),
        TokenFault::OtherTokenType => {
            let mut tokens = tokens;
            tokens["token_type"] = json!("mac");
            Json(tokens).into_response()
        }
        TokenFault::FalseInvalidGrant(code) => refusal(status(code), "invalid_grant"),
        TokenFault::InvalidGrantOnPage => {
            let page = r#"<!doctype html><pre>{ "error": "invalid_grant" }</pre>"#;
            (StatusCode::BAD_REQUEST, Html(page)).into_response()
        }
        TokenFault::TruncatedInvalidGrant => {
            truncated(refusal(StatusCode::BAD_REQUEST, "invalid_grant"), wire)
        }
        TokenFault::OtherError(error) => refusal(StatusCode::BAD_REQUEST, error),
        TokenFault::Silent => never().await,
        TokenFault::Empty
        | TokenFault::Slow(_)
        | TokenFault::ResetAfterCommit
        | TokenFault::ClosedAfterCommit
        | TokenFault::TruncatedAfterCommit
        | TokenFault::StatusAfterCommit(_)
        | TokenFault::HtmlAfterCommit
        | TokenFault::Ended => ().into_response(),
    }
}

fn after_commit(fault: TokenFault, answer: Response, wire: &Wire) -> Response {
    match fault {
        TokenFault::ResetAfterCommit => wire.break_off(0, End::Reset),
        TokenFault::ClosedAfterCommit => wire.break_off(0, End::Close),
        TokenFault::StatusAfterCommit(code) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY);
            return (status, "the answer was lost behind this gateway").into_response();
        }
        TokenFault::HtmlAfterCommit => return Html(PAGE).into_response(),
        _ => return truncated(answer, wire),
    }
    answer
}

/// The head of an answer and some of its body; then the connection is closed. The head alone is longer than half of
/// what is let through, and announces all of the body.
fn truncated(answer: Response, wire: &Wire) -> Response {
    wire.break_off(TRUNCATED_AT, End::Close);
    answer
}

/// Status line and headers take about 110 bytes; the shortest body that is cut has 25.
const TRUNCATED_AT: usize = 125;

/// The answer in pieces, its length told at the beginning.
async fn slowly(answer: Response, time: Duration) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, 64 * 1024).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let length = bytes.len().div_ceil(PIECES).max(1);
    let pieces: Vec<_> = bytes.chunks(length).map(|piece| bytes.slice_ref(piece)).collect();
    let pause = time / u32::try_from(PIECES).unwrap_or(1);
    let stream = futures::stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>(piece)
    });
    Response::from_parts(parts, Body::from_stream(stream))
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

async fn never() -> Response {
    std::future::pending().await
}

impl Shared {
    fn tokens(&self, family: FamilyId, number: u32) -> Value {
        let (access_token, refresh_token) = self.ledger.write(family, number);
        json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.options.life.as_secs(),
            "refresh_token": refresh_token,
        })
    }
}
