//! The token endpoint's response: parsed leniently if it is a success, strictly if it is an error.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value};
use url::form_urlencoded;
use usher_budgets as budgets;

use crate::display_text::{display_text, display_text_option, visible_text};
use crate::echo::Sent;
use crate::http_client::Response;
use crate::json_document::{Document, is_transient, transient};
use crate::pending_authorization::is_about_resource;
use crate::{AccessToken, ErrorKind, ProofRefusal, RefreshToken, Scopes};

/// The fields of a successful response (RFC 6749 §5.1).
pub(crate) struct TokenResponse {
    pub(crate) access_token: AccessToken,
    pub(crate) refresh_token: Option<RefreshToken>,
    /// The lifetime of the access token in seconds.
    pub(crate) expires_in: Option<u64>,
    pub(crate) scopes: Option<Scopes>,
    /// The account in the ID token, for display.
    pub(crate) account: Option<String>,
    pub(crate) token_type: TokenType,
}

/// The `token_type` of a response. Without one, the token is a bearer token.
pub(crate) enum TokenType {
    Bearer,
    /// The access token is bound to the key that the request proved (RFC 9449 §5).
    Dpop,
    /// The caller rejects it, but needs the new refresh token first.
    Unknown(String),
}

/// Reads a successful response. Converts any other response to an error, without the secrets of the request.
pub(crate) fn parse(response: &Response, sent: &Sent, now: Timestamp) -> Result<TokenResponse, ErrorKind> {
    if response.status.is_success() {
        return fields(&read(response)?, sent);
    }
    if is_transient(response.status) {
        return Err(transient(response, Some(now)));
    }
    Err(error_response(response, sent))
}

/// Maps an error response (RFC 6749 §5.2).
pub(crate) fn error_response(response: &Response, sent: &Sent) -> ErrorKind {
    let status = response.status;
    let json = Document::parse(&response.body).ok();
    let is_json = json.is_some();
    let document = json.or_else(|| read(response).ok());
    let Some(error) = document.as_ref().and_then(|document| document.string("error")) else {
        return ErrorKind::Status(status.as_u16());
    };
    // An error is final only with these two statuses and in JSON. A proxy's page or an outage must never end a grant.
    let is_final = is_json && matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    let document = document.as_ref();
    let description = document.and_then(|document| description(document, sent));
    match error {
        "invalid_grant" if is_final => ErrorKind::InvalidGrant { description },
        "invalid_client" if is_final => ErrorKind::InvalidClient { description },
        "invalid_target" => ErrorKind::InvalidTarget { description },
        "use_dpop_nonce" => ErrorKind::NonceRefused,
        "invalid_dpop_proof" => ErrorKind::ProofRefused { description },
        "slow_down" => {
            ErrorKind::SlowDown { interval: document.and_then(|document| document.seconds("interval")) }
        }
        _ if is_about_resource(error, description.as_deref()) => ErrorKind::ResourceRejected { description },
        _ => ErrorKind::TokenError { error: shown_error(error, sent), description },
    }
}

/// The reason why the authorization server refused the proof of a request, or a request without one (RFC 9449 §5 and
/// §8).
pub(crate) fn proof_refusal(response: &Response) -> Option<ProofRefusal> {
    let is_refused = matches!(response.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    let document = is_refused.then(|| Document::parse(&response.body).ok()).flatten()?;
    ProofRefusal::parse(document.string("error")?)
}

fn description(document: &Document, sent: &Sent) -> Option<String> {
    let text = document.string("error_description")?;
    display_text_option(Some(&sent.remove_from(&visible_text(&shortened(text)))))
}

fn shown_error(error: &str, sent: &Sent) -> String {
    display_text(&sent.remove_from(&visible_text(&shortened(error))))
}

/// Shortens a text before the search for secrets, which takes time.
fn shortened(text: &str) -> String {
    text.chars().take(budgets::ERROR_CHARACTERS).collect()
}

/// Reads JSON with any content type, or else a form, which some older servers return.
fn read(response: &Response) -> Result<Document, ErrorKind> {
    match Document::parse(&response.body) {
        Err(ErrorKind::NotJson) if !is_html(&response.headers, &response.body) => {
            let fields: Map<String, Value> = form_urlencoded::parse(response.body.trim_ascii())
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect();
            let is_token_response = fields.contains_key("access_token") || fields.contains_key("error");
            if is_token_response { Ok(Document::from_fields(fields)) } else { Err(ErrorKind::NotJson) }
        }
        result => result,
    }
}

fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.to_ascii_lowercase().contains("html") || body.trim_ascii_start().starts_with(b"<")
}

/// Returns the fields. A response with an access token is a success, even if it also contains an error.
fn fields(document: &Document, sent: &Sent) -> Result<TokenResponse, ErrorKind> {
    let Some(access_token) = document.string("access_token") else {
        return Err(match document.string("error") {
            Some("slow_down") => ErrorKind::SlowDown { interval: document.seconds("interval") },
            Some(error) => ErrorKind::TokenError {
                error: shown_error(error, sent),
                description: description(document, sent),
            },
            None => ErrorKind::Malformed { what: "it has no access token".to_owned() },
        });
    };
    for name in ["access_token", "refresh_token"] {
        if document.string(name).is_some_and(|token| !is_usable(token)) {
            return Err(ErrorKind::Malformed { what: format!("its {name} is too long or not plain text") });
        }
    }
    let token_type = match document.string("token_type").map(str::trim) {
        None | Some("") => TokenType::Bearer,
        Some(kind) if kind.eq_ignore_ascii_case("bearer") => TokenType::Bearer,
        Some(kind) if kind.eq_ignore_ascii_case("dpop") => TokenType::Dpop,
        Some(kind) => TokenType::Unknown(shown_error(kind, sent)),
    };
    Ok(TokenResponse {
        access_token: AccessToken::new(access_token),
        refresh_token: document.string("refresh_token").map(RefreshToken::new),
        expires_in: document.seconds("expires_in"),
        scopes: scopes(document),
        account: document.string("id_token").and_then(account),
        token_type,
    })
}

/// Whether a token fits into a header and into the secret store (RFC 6749 appendix A.12 and A.17).
pub(crate) fn is_usable(token: &str) -> bool {
    token.len() <= budgets::TOKEN_BYTES && token.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
}

/// Reads an array, or text separated by spaces (RFC 6749 §3.3) or commas.
fn scopes(document: &Document) -> Option<Scopes> {
    let scopes = match document.get("scope")? {
        Value::String(text) => Scopes::parse(&text.replace(',', " ")),
        Value::Array(_) => Scopes::from(document.strings("scope")?),
        _ => return None,
    };
    Some(scopes).filter(|scopes| !scopes.is_empty())
}

/// Returns the account in an ID token, for display. The signature is not checked, because the token came directly from
/// the token endpoint (OpenID Connect Core §3.1.3.7).
fn account(id_token: &str) -> Option<String> {
    let claims = id_token.split('.').nth(1).filter(|claims| claims.len() <= budgets::TOKEN_BYTES)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims = Document::parse(&claims).ok()?;
    ["email", "preferred_username", "name"].iter().find_map(|claim| display_text_option(claims.string(claim)))
}
