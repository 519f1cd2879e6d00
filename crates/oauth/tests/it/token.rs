//! The code exchange, and the responses of token endpoints.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use usher_oauth::{
    AuthMethod, ClientSettings, Error, ErrorKind, Grant, RedirectUri, RegistrationRequest, Scopes, Step,
    exchange,
};

use crate::support::{
    Answer, Fake, accepted, challenge, discover_with, exchanged, http_for, later, merged, now, parameter,
    pending,
};

const TOKEN: &str = "POST /token";

/// The fields of a grant, comparable.
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

fn only(access_token: &str) -> GrantFields {
    let access_token = access_token.to_owned();
    GrantFields { access_token, refresh_token: None, expires_at: None, scopes: String::new(), account: None }
}

pub fn id_token(claims: Value) -> String {
    format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[tokio::test]
async fn the_request_contains_exactly_the_required_parameters() {
    let fake = Fake::start().await;
    fake.with_documents().on(TOKEN, Answer::json(json!({ "access_token": "t" })));
    let pending = pending(&fake).await;
    let code_challenge = parameter(&pending, "code_challenge").unwrap();
    let grant = exchange(&http_for(&fake).await, accepted(pending), now()).await.unwrap();
    let [request] = &fake.seen(TOKEN)[..] else { panic!("one request") };
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
    assert_eq!(
        (grant.binding.client_id.as_str(), grant.binding.issuer.as_str()),
        ("app", fake.origin.as_str())
    );
}

#[tokio::test]
async fn every_response_with_an_access_token_is_a_success() {
    let full = json!({
        "access_token": "t", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", "scope": "a b",
    });
    let whole = || GrantFields {
        refresh_token: Some("r".into()),
        expires_at: Some(later(3600)),
        scopes: "a b".into(),
        ..only("t")
    };
    let but = |changes: Value| Answer::json(merged(full.clone(), changes));
    let with = |change: &dyn Fn(&mut GrantFields)| {
        let mut fields = whole();
        change(&mut fields);
        fields
    };
    let expiring = |at: Option<Timestamp>| with(&|fields| fields.expires_at = at);
    let form = "access_token=t&token_type=bearer&expires_in=3600&refresh_token=r&scope=a+b";
    let table = [
        (but(json!({})), whole()),
        (Answer::json_with(201, full.clone()), whole()),
        (Answer::json_with(202, full.clone()), whole()),
        (but(json!({ "error": "invalid_grant" })), whole()),
        // Content types.
        (Answer::new(200, "text/plain", full.to_string()), whole()),
        (Answer::new(200, "text/html", full.to_string()), whole()),
        (Answer::new(200, "application/x-www-form-urlencoded", form), whole()),
        (Answer::new(200, "application/json", form), whole()),
        (Answer::new(200, "application/json", format!("\u{feff}\n{full}\n")), whole()),
        (but(json!({ "expires_in": "3600" })), whole()),
        (but(json!({ "expires_in": " 3600 " })), whole()),
        (but(json!({ "expires_in": 3600.9 })), whole()),
        (but(json!({ "expires_in": "3600.0" })), whole()),
        (but(json!({ "expires_in": null })), expiring(None)),
        (but(json!({ "expires_in": 0 })), expiring(None)),
        (but(json!({ "expires_in": -5 })), expiring(None)),
        (but(json!({ "expires_in": "soon" })), expiring(None)),
        (but(json!({ "expires_in": "NaN" })), expiring(None)),
        (but(json!({ "expires_in": [3600] })), expiring(None)),
        (but(json!({ "expires_in": 5 })), expiring(Some(later(5)))),
        (but(json!({ "expires_in": 1e300 })), expiring(Some(later(3_200_000_000)))),
        (but(json!({ "token_type": null })), whole()),
        (but(json!({ "token_type": "" })), whole()),
        (but(json!({ "token_type": "bearer" })), whole()),
        (but(json!({ "token_type": " BEARER " })), whole()),
        (but(json!({ "token_type": 1 })), whole()),
        (but(json!({ "scope": ["a", "b"] })), whole()),
        (but(json!({ "scope": "a,b" })), whole()),
        (but(json!({ "scope": " a  b a " })), whole()),
        (but(json!({ "scope": null })), with(&|fields| fields.scopes = "requested".into())),
        (but(json!({ "scope": "" })), with(&|fields| fields.scopes = "requested".into())),
        (but(json!({ "scope": 7 })), with(&|fields| fields.scopes = "requested".into())),
        (but(json!({ "refresh_token": "" })), with(&|fields| fields.refresh_token = None)),
        (but(json!({ "refresh_token": null })), with(&|fields| fields.refresh_token = None)),
        (but(json!({ "refresh_token": 7 })), with(&|fields| fields.refresh_token = None)),
    ];
    for (answer, expected) in table {
        let fake = Fake::start().await;
        let case = String::from_utf8_lossy(&answer.body).into_owned();
        let resource = merged(fake.resource_document(), json!({ "scopes_supported": ["requested"] }));
        fake.with_documents()
            .on("GET /.well-known/oauth-protected-resource/mcp", Answer::json(resource))
            .on(TOKEN, answer);
        let grant = exchange(&http_for(&fake).await, accepted(pending(&fake).await), now()).await;
        assert_eq!(fields(&grant.unwrap()), expected, "{case}");
    }
}

#[tokio::test]
async fn the_account_is_for_display() {
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
        let answer = Answer::json(json!({ "access_token": "t", "id_token": id_token }));
        assert_eq!(exchanged(&fake, [answer]).await.unwrap().account.as_deref(), expected, "{id_token}");
    }
}

#[tokio::test]
async fn every_other_response_is_an_error() {
    let json = |status, body| Answer::json_with(status, body);
    let described = || Some("used".to_owned());
    let transient = |status| ErrorKind::Transient { status, retry_after: None };
    let token_error = |error: &str| ErrorKind::TokenError { error: error.into(), description: None };
    let table = [
        // The only terminal responses.
        (
            json(400, json!({ "error": "invalid_grant", "error_description": "used" })),
            ErrorKind::InvalidGrant { description: described() },
        ),
        (json(401, json!({ "error": "invalid_grant" })), ErrorKind::InvalidGrant { description: None }),
        (
            Answer::new(400, "text/plain", "{\"error\":\"invalid_grant\"}"),
            ErrorKind::InvalidGrant { description: None },
        ),
        (
            json(400, json!({ "error": "invalid_client", "error_description": "used" })),
            ErrorKind::InvalidClient { description: described() },
        ),
        (json(401, json!({ "error": "invalid_client" })), ErrorKind::InvalidClient { description: None }),
        // The same error with another status or content type is not terminal.
        (json(403, json!({ "error": "invalid_grant" })), token_error("invalid_grant")),
        (json(200, json!({ "error": "invalid_grant" })), token_error("invalid_grant")),
        (json(500, json!({ "error": "invalid_grant" })), transient(500)),
        (json(503, json!({ "error": "invalid_grant" })), transient(503)),
        (json(429, json!({ "error": "invalid_grant" })), transient(429)),
        (Answer::new(400, "text/plain", "error=invalid_grant"), token_error("invalid_grant")),
        (Answer::new(400, "text/html", "<p>error=invalid_grant"), ErrorKind::Status(400)),
        (Answer::new(401, "text/html", "<p>portal"), ErrorKind::Status(401)),
        // Outages and portals.
        (Answer::new(502, "text/html", "<p>bad gateway"), transient(502)),
        (Answer::new(408, "text/plain", ""), transient(408)),
        (Answer::redirect(302, "http://portal.example/"), transient(302)),
        (Answer::redirect(307, "http://localhost:1/"), transient(307)),
        (Answer::new(200, "text/html", "<!doctype html><title>Log in to Wi-Fi</title>"), ErrorKind::NotJson),
        (Answer::new(200, "application/json", ""), ErrorKind::NotJson),
        (Answer::new(200, "application/json", "\"t\""), ErrorKind::NotJson),
        (Answer::new(204, "text/plain", ""), ErrorKind::NotJson),
        (
            Answer::new(200, "application/json", "{\"access_token\":"),
            ErrorKind::Malformed { what: "its JSON is broken or nested too deeply".into() },
        ),
        (
            json(200, json!({ "access_token": "" })),
            ErrorKind::Malformed { what: "it has no access token".into() },
        ),
        (
            json(200, json!({ "access_token": 7 })),
            ErrorKind::Malformed { what: "it has no access token".into() },
        ),
        // Other errors.
        (json(400, json!({ "error": "unsupported_grant_type" })), token_error("unsupported_grant_type")),
        (json(200, json!({ "error": "bad_verification_code" })), token_error("bad_verification_code")),
        (json(400, json!({ "error": "x\u{202e}\u{1b}y" })), token_error("xy")),
        (
            json(200, json!({ "access_token": "t", "token_type": "DPoP" })),
            ErrorKind::UnsupportedTokenType("DPoP".into()),
        ),
        (
            json(200, json!({ "access_token": "t", "token_type": "mac" })),
            ErrorKind::UnsupportedTokenType("mac".into()),
        ),
    ];
    for (answer, expected) in table {
        let fake = Fake::start().await;
        let case = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
        let error = exchanged(&fake, [answer]).await.unwrap_err();
        assert_eq!((error.step, error.host.as_deref()), (Step::TokenExchange, Some(fake.host())));
        assert_eq!(
            error.is_terminal_for_grant(),
            matches!(expected, ErrorKind::InvalidGrant { .. }),
            "{case}"
        );
        assert_eq!(error.kind, expected, "{case}");
        assert_eq!(fake.seen(TOKEN).len(), 1, "a code is sent once: {case}");
    }
}

#[tokio::test]
async fn retry_after_is_a_number_or_a_date() {
    let table = [
        ("120", Some(120)),
        ("Sat, 21 Nov 2026 10:00:30 GMT", Some(30)),
        ("Sat, 21 Nov 2026 09:00:00 GMT", Some(0)),
        ("99999999", Some(3600)),
        ("soon", None),
    ];
    for (text, expected) in table {
        let fake = Fake::start().await;
        let error = exchanged(&fake, [Answer::new(503, "text/plain", "").with("retry-after", text)])
            .await
            .unwrap_err();
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), expected, "{text}");
        assert!(error.is_transient());
    }
}

async fn exchanged_as(method: AuthMethod, id: &str, secret: Option<&str>) -> (Fake, Result<Grant, Error>) {
    let fake = Fake::start().await;
    fake.with_server_document(json!({ "token_endpoint_auth_methods_supported": [method.as_str()] }));
    fake.on(TOKEN, Answer::json(json!({ "access_token": "t" })));
    let client_secret = secret.map(SecretString::from);
    let settings = ClientSettings { client_id: Some(id.into()), client_secret, ..Default::default() };
    let registered =
        crate::support::register_with(&fake, &settings, &RedirectUri::custom_scheme()).await.unwrap();
    let code = accepted(registered.authorize(None, now()).unwrap());
    let grant = exchange(&http_for(&fake).await, code, now()).await;
    (fake, grant)
}

#[tokio::test]
async fn the_client_uses_the_supported_auth_method() {
    let (fake, grant) = exchanged_as(AuthMethod::ClientSecretBasic, "i d:", Some("s/e+c%")).await;
    assert_eq!(grant.unwrap().binding.auth_method, AuthMethod::ClientSecretBasic);
    let request = &fake.seen(TOKEN)[0];
    // RFC 6749 §2.3.1: both parts are form-encoded, then Basic.
    let credentials = base64::prelude::BASE64_STANDARD.encode("i+d%3A:s%2Fe%2Bc%25");
    assert_eq!(request.headers["authorization"], format!("Basic {credentials}"));
    assert!(!request.form().contains_key("client_secret") && !request.form().contains_key("client_id"));

    let (fake, grant) = exchanged_as(AuthMethod::ClientSecretPost, "id", Some("s")).await;
    assert_eq!(grant.unwrap().binding.auth_method, AuthMethod::ClientSecretPost);
    let request = &fake.seen(TOKEN)[0];
    assert_eq!((request.form()["client_id"].as_str(), request.form()["client_secret"].as_str()), ("id", "s"));
    assert!(request.headers.get("authorization").is_none());

    let (fake, grant) = exchanged_as(AuthMethod::ClientSecretBasic, "id", None).await;
    assert_eq!(grant.unwrap().binding.auth_method, AuthMethod::None);
    assert_eq!(fake.seen(TOKEN)[0].form()["client_id"], "id");
}

#[tokio::test]
async fn after_a_rejected_resource_the_exchange_is_retried_without_it() {
    let good = Answer::json(json!({ "access_token": "t" }));
    for rejection in [
        json!({ "error": "invalid_target" }),
        json!({ "error": "invalid_request", "error_description": "Unknown parameter: 'resource'" }),
    ] {
        let fake = Fake::start().await;
        let grant =
            exchanged(&fake, [Answer::json_with(400, rejection.clone()), good.clone()]).await.unwrap();
        assert!(!grant.binding.sends_resource, "refreshes omit it too");
        assert_eq!(grant.binding.resource, fake.at("/mcp"), "the binding keeps the resource");
        let sent: Vec<bool> =
            fake.seen(TOKEN).iter().map(|seen| seen.form().contains_key("resource")).collect();
        assert_eq!(sent, [true, false], "{rejection}");
        let (first, second) = (fake.seen(TOKEN)[0].form(), fake.seen(TOKEN)[1].form());
        assert_eq!(first["code_verifier"], second["code_verifier"]);
    }
    let fake = Fake::start().await;
    let error =
        exchanged(&fake, [Answer::json_with(400, json!({ "error": "invalid_target" }))]).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::ResourceRejected { .. }));
    assert_eq!(fake.seen(TOKEN).len(), 2);
    // Other errors cause no retry.
    let fake = Fake::start().await;
    exchanged(&fake, [Answer::json_with(400, json!({ "error": "invalid_request" }))]).await.unwrap_err();
    assert_eq!(fake.seen(TOKEN).len(), 1);
}

#[tokio::test]
async fn a_step_up_asks_for_the_union() {
    let fake = Fake::start().await;
    fake.with_documents().on("POST /register", Answer::json(json!({ "client_id": "app" })));
    let settings = ClientSettings::default();
    let step_up = challenge("Bearer error=\"insufficient_scope\", scope=\"files:write\"");
    let found = discover_with(&fake, Some(&step_up), &settings).await.unwrap();
    let redirect = RedirectUri::custom_scheme();
    let request = RegistrationRequest { settings: &settings, redirect: &redirect, known: None };
    let registered = found.register(&http_for(&fake).await, request, now()).await.unwrap();
    let pending = registered.authorize(Some(&Scopes::parse("files:read")), now()).unwrap();
    assert_eq!(parameter(&pending, "scope").as_deref(), Some("files:write files:read"));
}

#[tokio::test]
async fn a_redirect_within_the_origin_keeps_the_request() {
    let fake = Fake::start().await;
    fake.on("POST /token/", Answer::json(json!({ "access_token": "t" })));
    for status in [307, 308] {
        exchanged(&fake, [Answer::redirect(status, "/token/")]).await.unwrap();
    }
    assert_eq!(fake.seen("POST /token/").len(), 2);
    assert_eq!(fake.seen("POST /token/")[0].form()["code"], "the-code");
    // 303 would drop the body, so it is not followed.
    exchanged(&fake, [Answer::redirect(303, "/token/")]).await.unwrap_err();
    assert!(fake.seen("GET /token/").is_empty());
}
