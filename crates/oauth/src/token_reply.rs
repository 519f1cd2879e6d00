//! The token endpoint's answer: read leniently when it grants, strictly when it refuses.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::authorization::is_about_resource;
use crate::document::{Document, is_transient, transient};
use crate::http_client::Reply;
use crate::text::{shown, shown_option};
use crate::{ErrorKind, Scopes};

/// Turns any answer that grants into the JSON of RFC 6749 §5.1, with the account's name for display beside it, and
/// any other into an error.
pub(crate) fn normalise(reply: &Reply, now: Timestamp) -> Result<Value, ErrorKind> {
    if reply.status.is_success() {
        return granted(&read(reply)?);
    }
    if is_transient(reply.status) {
        return Err(transient(reply, Some(now)));
    }
    Err(refused(reply))
}

/// The error of a request that was understood and refused (RFC 6749 §5.2).
pub(crate) fn refused(reply: &Reply) -> ErrorKind {
    let status = reply.status;
    let json = Document::parse(&reply.body).ok();
    let is_json = json.is_some();
    let document = json.or_else(|| read(reply).ok());
    let Some(error) = document.as_ref().and_then(|document| document.string("error")) else {
        return ErrorKind::Status(status.as_u16());
    };
    let description =
        shown_option(document.as_ref().and_then(|document| document.string("error_description")));
    // Only these two statuses, only in JSON: a proxy's page or an outage must never end a grant.
    let is_final = is_json && matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    match error {
        "invalid_grant" if is_final => ErrorKind::InvalidGrant { description },
        "invalid_client" if is_final => ErrorKind::InvalidClient { description },
        _ if is_about_resource(error, description.as_deref()) => ErrorKind::ResourceRefused { description },
        _ => ErrorKind::TokenRefused { error: shown(error), description },
    }
}

/// JSON whatever its content type says; else a form, as some older servers answer.
fn read(reply: &Reply) -> Result<Document, ErrorKind> {
    match Document::parse(&reply.body) {
        Err(ErrorKind::NotJson) if !is_page(&reply.headers, &reply.body) => {
            let fields: Map<String, Value> = form_urlencoded::parse(reply.body.trim_ascii())
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect();
            let is_answer = fields.contains_key("access_token") || fields.contains_key("error");
            if is_answer { Ok(Document::from_fields(fields)) } else { Err(ErrorKind::NotJson) }
        }
        read => read,
    }
}

fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.to_ascii_lowercase().contains("html") || body.trim_ascii_start().starts_with(b"<")
}

/// Any answer with an access token wins, whatever else it says; of a type that is not Bearer, the answer is noted.
fn granted(document: &Document) -> Result<Value, ErrorKind> {
    let Some(access_token) = document.string("access_token") else {
        if let Some(error) = document.string("error") {
            let description = shown_option(document.string("error_description"));
            return Err(ErrorKind::TokenRefused { error: shown(error), description });
        }
        return Err(ErrorKind::Malformed { what: "it holds no access token".to_owned() });
    };
    // Noted and refused further up: the refresh token beside it may be the only good one.
    let unknown_type = document
        .string("token_type")
        .map(str::trim)
        .filter(|kind| !kind.is_empty() && !kind.eq_ignore_ascii_case("bearer"));
    let mut granted = Map::new();
    granted.insert("access_token".to_owned(), json!(access_token));
    granted.insert("token_type".to_owned(), json!("bearer"));
    let optional = [
        ("refresh_token", document.string("refresh_token").map(Value::from)),
        ("expires_in", document.seconds("expires_in").map(Value::from)),
        ("scope", scopes(document).map(|scopes| Value::from(scopes.to_string()))),
        ("account", document.string("id_token").and_then(account).map(Value::from)),
        ("unknown_type", unknown_type.map(|kind| Value::from(shown(kind)))),
    ];
    granted.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(Value::Object(granted))
}

/// Separated by spaces as the RFC has it, by commas as some have it, or an array.
fn scopes(document: &Document) -> Option<Scopes> {
    let scopes = match document.get("scope")? {
        Value::String(text) => Scopes::parse(&text.replace(',', " ")),
        Value::Array(_) => Scopes::from(document.strings("scope")?),
        _ => return None,
    };
    Some(scopes).filter(|scopes| !scopes.is_empty())
}

/// Who signed in, out of an id token that came straight from the token endpoint. It decides nothing, so its signature
/// need not be checked (OpenID Connect Core §3.1.3.7).
fn account(id_token: &str) -> Option<String> {
    let claims = id_token.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims = Document::parse(&claims).ok()?;
    ["email", "preferred_username", "name"].iter().find_map(|claim| shown_option(claims.string(claim)))
}
