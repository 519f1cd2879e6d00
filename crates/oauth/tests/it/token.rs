//! The code exchange, and the responses of token endpoints.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use usher_oauth::{ClientSettings, ErrorKind, Grant, RedirectUri, Scopes, Step, exchange};

use crate::support::*;

/// The fields of a grant, for comparisons.
#[derive(Debug, PartialEq)]
pub struct GrantFields {
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub scopes: String,
    pub account: Option<String>,
}

pub fn fields(grant: &Grant) -> GrantFields {
    GrantFields {
        access_token: grant.access_token.expose().to_owned(),
        refresh_token: grant.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        expires_at: grant.expires_at,
        scopes: grant.scopes.to_string(),
        account: grant.account.clone(),
    }
}

fn only_access_token(access_token: &str) -> GrantFields {
    let access_token = access_token.to_owned();
    GrantFields { access_token, refresh_token: None, expires_at: None, scopes: String::new(), account: None }
}

pub fn id_token(claims: Value) -> String {
    format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[tokio::test]
async fn the_request_contains_exactly_the_required_parameters() {
    let fake = Fake::start_with_response(TOKEN, Response::json(json!({ "access_token": "t" }))).await;
    let pending = pending(&fake).await;
    let code_challenge = parameter(&pending, "code_challenge").unwrap();
    let grant = exchange(&http_for(&fake).await, accepted(pending), now()).await.unwrap();
    let [request] = &fake.requests_to(TOKEN)[..] else { panic!("not one request") };
    let mut form = request.form();
    let verifier = form.remove("code_verifier").unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&verifier);
    assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(digest), code_challenge);
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "the-code"),
        ("client_id", "app"),
        ("redirect_uri", RedirectUri::CUSTOM_SCHEME),
        ("resource", &fake.at("/mcp")),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert!(request.headers.get("authorization").is_none());
    assert_eq!(request.headers["accept"], "application/json");
    assert_eq!(grant.binding.token_endpoint.as_str(), fake.at("/token"));
    assert_eq!(grant.binding.client_id, "app");
    assert_eq!(grant.binding.issuer.as_str(), fake.origin);
}

#[tokio::test]
async fn every_response_with_a_usable_access_token_is_a_success() {
    let full = json!({
        "access_token": "t", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", "scope": "a b",
    });
    let all_fields = || GrantFields {
        refresh_token: Some("r".into()),
        expires_at: Some(now_plus(3600)),
        scopes: "a b".into(),
        ..only_access_token("t")
    };
    let full_with = |changes: Value| Response::json(merged(full.clone(), changes));
    let with = |change: &dyn Fn(&mut GrantFields)| {
        let mut fields = all_fields();
        change(&mut fields);
        fields
    };
    let expiring = |at: Option<Timestamp>| with(&|fields| fields.expires_at = at);
    let form = "access_token=t&token_type=bearer&expires_in=3600&refresh_token=r&scope=a+b";
    let table = [
        (full_with(json!({})), all_fields()),
        (Response::json_with(201, full.clone()), all_fields()),
        (Response::json_with(202, full.clone()), all_fields()),
        (full_with(json!({ "error": "invalid_grant" })), all_fields()),
        // Content types.
        (Response::new(200, "text/plain", full.to_string()), all_fields()),
        (Response::new(200, "text/html", full.to_string()), all_fields()),
        (Response::new(200, "application/x-www-form-urlencoded", form), all_fields()),
        (Response::new(200, "application/json", form), all_fields()),
        (Response::new(200, "application/json", format!("\u{feff}\n{full}\n")), all_fields()),
        // Fields with unusual values.
        (full_with(json!({ "expires_in": "3600" })), all_fields()),
        (full_with(json!({ "expires_in": " 3600 " })), all_fields()),
        (full_with(json!({ "expires_in": 3600.9 })), all_fields()),
        (full_with(json!({ "expires_in": "3600.0" })), all_fields()),
        (full_with(json!({ "expires_in": null })), expiring(None)),
        (full_with(json!({ "expires_in": 0 })), expiring(None)),
        (full_with(json!({ "expires_in": -5 })), expiring(None)),
        (full_with(json!({ "expires_in": "soon" })), expiring(None)),
        (full_with(json!({ "expires_in": "NaN" })), expiring(None)),
        (full_with(json!({ "expires_in": [3600] })), expiring(None)),
        (full_with(json!({ "expires_in": 5 })), expiring(Some(now_plus(5)))),
        (full_with(json!({ "expires_in": 1e300 })), expiring(Some(now_plus(3_200_000_000)))),
        (full_with(json!({ "token_type": null })), all_fields()),
        (full_with(json!({ "token_type": "" })), all_fields()),
        (full_with(json!({ "token_type": "bearer" })), all_fields()),
        (full_with(json!({ "token_type": " BEARER " })), all_fields()),
        (full_with(json!({ "token_type": 1 })), all_fields()),
        (full_with(json!({ "scope": ["a", "b"] })), all_fields()),
        (full_with(json!({ "scope": "a,b" })), all_fields()),
        (full_with(json!({ "scope": " a  b a " })), all_fields()),
        (full_with(json!({ "scope": null })), with(&|fields| fields.scopes = "requested".into())),
        (full_with(json!({ "scope": "" })), with(&|fields| fields.scopes = "requested".into())),
        (full_with(json!({ "scope": 7 })), with(&|fields| fields.scopes = "requested".into())),
        (full_with(json!({ "refresh_token": "" })), with(&|fields| fields.refresh_token = None)),
        (full_with(json!({ "refresh_token": null })), with(&|fields| fields.refresh_token = None)),
        (full_with(json!({ "refresh_token": 7 })), with(&|fields| fields.refresh_token = None)),
    ];
    for (response, expected) in table {
        let case = String::from_utf8_lossy(&response.body).into_owned();
        let fake = Fake::start_with_response(TOKEN, response).await;
        fake.serve_changed_resource_metadata(json!({ "scopes_supported": ["requested"] }));
        let grant = exchange(&http_for(&fake).await, accepted(pending(&fake).await), now()).await;
        assert_eq!(fields(&grant.unwrap()), expected, "{case}");
    }
}

#[tokio::test]
async fn the_account_is_read_from_the_id_token() {
    let table = [
        (id_token(json!({ "email": "ada@example.com", "name": "Ada" })), Some("ada@example.com")),
        (id_token(json!({ "preferred_username": "ada", "name": "Ada" })), Some("ada")),
        (id_token(json!({ "email": "", "name": "A\u{202e}da\u{1b}" })), Some("Ada")),
        (id_token(json!({ "sub": "1" })), None),
        ("not.base64!.x".to_owned(), None),
        ("nothing".to_owned(), None),
    ];
    for (id_token, expected) in table {
        let fake = Fake::start().await;
        let response = Response::json(json!({ "access_token": "t", "id_token": id_token }));
        assert_eq!(exchanged(&fake, [response]).await.unwrap().account.as_deref(), expected, "{id_token}");
    }
}

#[tokio::test]
async fn every_other_response_is_an_error() {
    let json = |status, body| Response::json_with(status, body);
    let html = |status, body: &'static str| Response::new(status, "text/html", body);
    let used = |error: &str| json(400, json!({ "error": error, "error_description": "used" }));
    let grant =
        |description: Option<&str>| ErrorKind::InvalidGrant { description: description.map(Into::into) };
    let client =
        |description: Option<&str>| ErrorKind::InvalidClient { description: description.map(Into::into) };
    let transient = |status| ErrorKind::Transient { status, retry_after: None };
    let token_error = |error: &str| ErrorKind::TokenError { error: error.into(), description: None };
    let malformed = |what: &str| ErrorKind::Malformed { what: what.into() };
    let unsupported = |kind: &str| ErrorKind::UnsupportedTokenType(kind.into());
    let table = [
        // Responses that end the grant or the registration.
        (used("invalid_grant"), grant(Some("used"))),
        (json(401, json!({ "error": "invalid_grant" })), grant(None)),
        (Response::text(400, "{\"error\":\"invalid_grant\"}"), grant(None)),
        (used("invalid_client"), client(Some("used"))),
        (json(401, json!({ "error": "invalid_client" })), client(None)),
        // The same error with another status or content type ends neither.
        (json(403, json!({ "error": "invalid_grant" })), token_error("invalid_grant")),
        (json(200, json!({ "error": "invalid_grant" })), token_error("invalid_grant")),
        (json(500, json!({ "error": "invalid_grant" })), transient(500)),
        (json(503, json!({ "error": "invalid_grant" })), transient(503)),
        (json(429, json!({ "error": "invalid_grant" })), transient(429)),
        (Response::text(400, "error=invalid_grant"), token_error("invalid_grant")),
        (html(400, "<p>error=invalid_grant"), ErrorKind::Status(400)),
        (html(401, "<p>portal"), ErrorKind::Status(401)),
        // Outages and portals.
        (html(502, "<p>bad gateway"), transient(502)),
        (Response::text(408, ""), transient(408)),
        (Response::redirect(302, "http://portal.example/"), transient(302)),
        (Response::redirect(307, "http://localhost:1/"), transient(307)),
        (html(200, "<!doctype html><title>Log in to Wi-Fi</title>"), ErrorKind::NotJson),
        (Response::new(200, "application/json", ""), ErrorKind::NotJson),
        (Response::new(200, "application/json", "\"t\""), ErrorKind::NotJson),
        (Response::text(204, ""), ErrorKind::NotJson),
        (
            Response::new(200, "application/json", "{\"access_token\":"),
            malformed("its JSON is broken or nested too deeply"),
        ),
        (json(200, json!({ "access_token": "" })), malformed("it has no access token")),
        (json(200, json!({ "access_token": 7 })), malformed("it has no access token")),
        // Other errors.
        (json(400, json!({ "error": "unsupported_grant_type" })), token_error("unsupported_grant_type")),
        (json(200, json!({ "error": "bad_verification_code" })), token_error("bad_verification_code")),
        (json(400, json!({ "error": "x\u{202e}\u{1b}y" })), token_error("xy")),
        (json(200, json!({ "access_token": "t", "token_type": "DPoP" })), unsupported("DPoP")),
        (json(200, json!({ "access_token": "t", "token_type": "mac" })), unsupported("mac")),
    ];
    for (response, expected) in table {
        let fake = Fake::start().await;
        let case = format!("{} {}", response.status, String::from_utf8_lossy(&response.body));
        let error = exchanged(&fake, [response]).await.unwrap_err();
        assert_eq!((error.step, error.host.as_deref()), (Step::TokenExchange, Some(fake.host())));
        let is_terminal = matches!(expected, ErrorKind::InvalidGrant { .. });
        assert_eq!(error.is_terminal_for_grant(), is_terminal, "{case}");
        assert_eq!(error.kind, expected, "{case}");
        assert_eq!(fake.requests_to(TOKEN).len(), 1, "a code is sent once: {case}");
    }
}

#[tokio::test]
async fn retry_after_is_a_number_or_a_date() {
    let table = [
        ("120", Some(120)),
        ("Sat, 21 Nov 2026 10:00:30 GMT", Some(30)),
        ("Sat, 21 Nov 2026 09:00:00 GMT", Some(0)),
        ("99999999", Some(300)),
        ("soon", None),
    ];
    for (text, expected) in table {
        let fake = Fake::start().await;
        let error = exchanged(&fake, [Response::text(503, "").with("retry-after", text)]).await.unwrap_err();
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), expected, "{text}");
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn tokens_that_cannot_be_sent_or_stored_are_refused() {
    for token in ["line\nbreak", "t\u{e9}st", &"x".repeat(32 * 1024 + 1)] {
        for name in ["access_token", "refresh_token"] {
            let fake = Fake::start().await;
            let response = merged(json!({ "access_token": "t" }), json!({ name: token }));
            let error = exchanged(&fake, [Response::json(response)]).await.unwrap_err();
            assert!(matches!(&error.kind, ErrorKind::Malformed { what } if what.contains(name)), "{error}");
        }
    }
    let fake = Fake::start().await;
    let longest = "x".repeat(32 * 1024);
    exchanged(&fake, [Response::json(json!({ "access_token": longest }))]).await.unwrap();
}

#[tokio::test]
async fn a_step_up_requests_the_old_and_the_new_scopes() {
    let fake = Fake::start_with_response(REGISTER, Response::json(json!({ "client_id": "app" }))).await;
    let settings = ClientSettings::default();
    let step_up = challenge("Bearer error=\"insufficient_scope\", scope=\"files:write\"");
    let found = discover_with(&fake, Some(&step_up), &settings).await.unwrap();
    let registered = register_at(&fake, found, &settings, None).await;
    let pending = registered.authorize(&Scopes::parse("files:read"), now()).unwrap();
    assert_eq!(parameter(&pending, "scope").as_deref(), Some("files:write files:read"));
}

#[tokio::test]
async fn a_redirect_within_the_origin_repeats_the_whole_request() {
    let fake = Fake::start().await;
    fake.on("POST /token/", Response::json(json!({ "access_token": "t" })));
    for status in [307, 308] {
        exchanged(&fake, [Response::redirect(status, "/token/")]).await.unwrap();
    }
    assert_eq!(fake.requests_to("POST /token/").len(), 2);
    assert_eq!(fake.requests_to("POST /token/")[0].form()["code"], "the-code");
    // 303 would drop the body, so it is not followed.
    exchanged(&fake, [Response::redirect(303, "/token/")]).await.unwrap_err();
    assert!(fake.requests_to("GET /token/").is_empty());
}
