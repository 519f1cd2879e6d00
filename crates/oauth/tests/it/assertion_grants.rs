//! Grants with an assertion of a platform or an identity provider (RFC 7523 §2.1).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::{Value, json};
use usher_oauth::{
    AuthMethod, ClientSettings, Endpoint, Error, ErrorKind, Flow, Grant, IdentityProvider, Scopes, Step,
    request_unattended,
};

use crate::support::*;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const EXCHANGE: &str = "POST /idp/token";

fn form(pairs: &[(&str, &str)]) -> std::collections::HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn granted_with(fake: &Fake, settings: &ClientSettings) -> Result<Grant, Error> {
    let discovered = discover_with(fake, None, settings).await?;
    let binding = discovered.unattended_binding(settings)?;
    let (http, scopes) = (http_for(fake).await, Scopes::parse("a"));
    request_unattended(&http, binding, settings, &scopes, Step::TokenExchange, now()).await
}

/// An assertion that expires at this time.
fn jwt(expires_at: i64) -> SecretString {
    let claims = BASE64_URL_SAFE_NO_PAD.encode(json!({ "aud": "x", "exp": expires_at }).to_string());
    format!("e30.{claims}.c2lnbmF0dXJl").into()
}

fn on_platform(assertion: Option<SecretString>) -> ClientSettings {
    ClientSettings { assertion, flow: Flow::JwtBearer, ..Default::default() }
}

#[tokio::test]
async fn the_assertion_of_the_platform_is_sent_once_and_without_a_client() {
    let fake = Fake::start_with_metadata().await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t", "refresh_token": "unwanted" })));
    let assertion = jwt(now().as_second() + 60);
    let grant = granted_with(&fake, &on_platform(Some(assertion.clone()))).await.unwrap();
    assert_eq!((grant.binding.auth_method, grant.binding.client_id.as_str()), (AuthMethod::None, ""));
    assert!(grant.refresh_token.is_none());
    let text = secrecy::ExposeSecret::expose_secret(&assertion);
    let expected =
        [("grant_type", JWT_BEARER), ("assertion", text), ("scope", "a"), ("resource", &fake.at("/mcp"))];
    assert_eq!(fake.requests_to(TOKEN)[0].form(), form(&expected));
    let unknown = json!({ "error": "invalid_request", "error_description": "Unknown parameter: 'resource'" });
    for rejection in [json!({ "error": "invalid_grant" }), json!({ "error": "invalid_client" }), unknown] {
        fake.forget_requests();
        fake.on(TOKEN, Response::json_with(400, rejection));
        granted_with(&fake, &on_platform(Some(assertion.clone()))).await.unwrap_err();
        assert_eq!(fake.requests_to(TOKEN).len(), 1);
    }
}

#[tokio::test]
async fn the_assertion_is_not_sent_to_another_issuer() {
    let fake = Fake::start_with_metadata().await;
    let issuer = Some(usher_oauth::Issuer::parse("https://first.example.com").unwrap());
    let settings = ClientSettings { issuer, ..on_platform(Some(jwt(now().as_second() + 60))) };
    let error = granted_with(&fake, &settings).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }), "{error:?}");
    assert!(fake.requests_to(TOKEN).is_empty());
}

#[tokio::test]
async fn an_expired_or_missing_assertion_is_not_sent() {
    let fake = Fake::start_with_metadata().await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    let at = |seconds: i64| Some(jwt(now().as_second() + seconds));
    for (assertion, expected) in [
        (at(-61), Some(ErrorKind::AssertionExpired)),
        (None, Some(ErrorKind::AssertionMissing)),
        (at(-59), None),
        (Some("opaque".into()), None),
    ] {
        fake.forget_requests();
        let outcome = granted_with(&fake, &on_platform(assertion)).await;
        assert_eq!(outcome.err().map(|error| error.kind), expected);
        assert_eq!(fake.requests_to(TOKEN).is_empty(), expected.is_some());
    }
}

fn of_company(fake: &Fake) -> ClientSettings {
    ClientSettings {
        client_id: Some("app".into()),
        client_secret: Some("a-secret".into()),
        flow: Flow::Enterprise,
        identity_provider: Some(IdentityProvider {
            token_endpoint: Endpoint::parse("", &fake.at("/idp/token")).unwrap(),
            client_id: "app-at-idp".into(),
            client_secret: None,
            id_token: "the-id-token".into(),
        }),
        ..Default::default()
    }
}

fn id_jag(changes: Value) -> Response {
    let body = json!({ "access_token": "the-id-jag", "issued_token_type": ID_JAG, "token_type": "N_A" });
    Response::json(merged(body, changes))
}

#[tokio::test]
async fn the_identity_provider_issues_an_assertion_for_the_authorization_server() {
    let fake = Fake::start_with_metadata().await;
    fake.on(EXCHANGE, id_jag(json!({})));
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    granted_with(&fake, &of_company(&fake)).await.unwrap();
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", ID_JAG),
        ("audience", &fake.origin),
        ("resource", &fake.at("/mcp")),
        ("subject_token", "the-id-token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("scope", "a"),
        ("client_id", "app-at-idp"),
    ];
    assert_eq!(fake.requests_to(EXCHANGE)[0].form(), form(&expected));
    let expected = [
        ("grant_type", JWT_BEARER),
        ("assertion", "the-id-jag"),
        ("client_id", "app"),
        ("scope", "a"),
        ("resource", &fake.at("/mcp")),
    ];
    let request = &fake.requests_to(TOKEN)[0];
    assert_eq!(request.form(), form(&expected));
    assert!(request.authorization().starts_with("Basic "));
    // Each grant needs a new assertion.
    granted_with(&fake, &of_company(&fake)).await.unwrap();
    assert_eq!(fake.requests_to(EXCHANGE).len(), 2);
}

#[tokio::test]
async fn a_refusal_of_the_identity_provider_is_reported_and_its_answer_is_checked() {
    let refused =
        Response::json_with(400, json!({ "error": "invalid_grant", "error_description": "not your team" }));
    let other = |what: &str| ErrorKind::Malformed { what: what.to_owned() };
    for (response, expected) in [
        (refused, ErrorKind::InvalidGrant { description: Some("not your team".into()) }),
        (Response::text(503, ""), ErrorKind::Transient { status: 503, retry_after: None }),
        (id_jag(json!({ "issued_token_type": "urn:x" })), other("it is not an identity assertion")),
        (id_jag(json!({ "token_type": "Bearer" })), other("it is not an identity assertion")),
        (id_jag(json!({ "access_token": null })), other("it has no usable assertion")),
    ] {
        let fake = Fake::start_with_metadata().await;
        fake.on(EXCHANGE, response);
        let error = granted_with(&fake, &of_company(&fake)).await.unwrap_err();
        assert_eq!(error.kind, expected);
        assert!(fake.requests_to(TOKEN).is_empty(), "no other way is tried");
    }
    // The identity provider repeats the ID token.
    let fake = Fake::start_with_metadata().await;
    let echo = json!({ "error": "bad", "error_description": "unknown token the-id-token" });
    fake.on(EXCHANGE, Response::json_with(400, echo));
    let error = granted_with(&fake, &of_company(&fake)).await.unwrap_err();
    assert!(!format!("{error} {error:?} {:?}", of_company(&fake)).contains("the-id-token"));
}
