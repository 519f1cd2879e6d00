//! The client credentials grant (RFC 6749 §4.4), with a secret or a signed assertion (RFC 7523 §2.2).

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use usher_fake_service::Request;
use usher_oauth::{
    AuthMethod, ClientSettings, Error, ErrorKind, Flow, Grant, Scopes, SigningKey, Step, request_unattended,
};

use crate::support::*;

const KEY: &str = include_str!("../keys/ec256.pem");

pub fn with_key() -> ClientSettings {
    let key = SigningKey::parse(&KEY.into(), None, Some("key-1".to_owned())).unwrap();
    ClientSettings { signing_key: Some(Arc::new(key)), ..with_client() }
}

fn with_secret() -> ClientSettings {
    ClientSettings { client_secret: Some("s e/cret".into()), ..with_client() }
}

fn with_client() -> ClientSettings {
    ClientSettings { client_id: Some("app".into()), flow: Flow::ClientCredentials, ..Default::default() }
}

/// A fake whose metadata has no PKCE, which this grant does not use.
async fn fake_with(changes: Value) -> Fake {
    Fake::start_with_changed_metadata(merged(json!({ "code_challenge_methods_supported": null }), changes))
        .await
}

async fn granted_with(fake: &Fake, settings: &ClientSettings) -> Result<Grant, Error> {
    let discovered = discover_with(fake, None, settings).await?;
    let binding = discovered.unattended_binding(settings)?;
    let http = http_for(fake).await;
    request_unattended(&http, binding, settings, &discovered.scopes, Step::TokenExchange, now()).await
}

fn form(pairs: &[(&str, &str)]) -> std::collections::HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The claims and the header of an assertion.
fn assertion(request: &Request) -> (Value, Value) {
    let form = request.form();
    let part = |number: usize| {
        let part = form["client_assertion"].split('.').nth(number).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    (part(1), part(0))
}

#[tokio::test]
async fn the_request_contains_exactly_the_required_parameters() {
    let fake = fake_with(json!({ "scopes_supported": ["offline_access"] })).await;
    let tokens = json!({ "access_token": "t", "refresh_token": "unwanted", "expires_in": 60 });
    fake.on(TOKEN, Response::json(tokens));
    let settings = ClientSettings { scopes: Some(Scopes::parse("a b")), ..with_secret() };
    let grant = granted_with(&fake, &settings).await.unwrap();
    let expected = [
        ("grant_type", "client_credentials"),
        ("client_id", "app"),
        ("scope", "a b"),
        ("resource", &fake.at("/mcp")),
    ];
    let [request] = &fake.requests_to(TOKEN)[..] else { panic!("not one request") };
    assert_eq!(request.form(), form(&expected));
    assert_eq!(request.authorization(), "Basic YXBwOnMrZSUyRmNyZXQ=");
    assert!(grant.refresh_token.is_none(), "a new grant replaces a refresh");
    assert_eq!((grant.expires_at, grant.scopes), (Some(now_plus(60)), Scopes::parse("a b")));
    assert_eq!(fake.request_lines(), [RESOURCE, METADATA, TOKEN], "no registration");
}

#[tokio::test]
async fn the_configured_audience_is_sent() {
    let fake = fake_with(json!({})).await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    let settings = ClientSettings { audience: Some("https://api.example.com".into()), ..with_secret() };
    granted_with(&fake, &settings).await.unwrap();
    assert_eq!(fake.requests_to(TOKEN)[0].form()["audience"], "https://api.example.com");
}

#[tokio::test]
async fn a_server_for_machines_needs_no_page() {
    let missing = json!({ "authorization_endpoint": null, "code_challenge_methods_supported": null });
    let fake = Fake::start_with_changed_metadata(missing).await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    granted_with(&fake, &with_secret()).await.unwrap();
    // A person needs one.
    let error = discovery_error(&fake).await;
    assert_eq!(error.kind, ErrorKind::Malformed { what: "it has no authorization endpoint".into() });
}

#[tokio::test]
async fn the_secret_is_sent_by_the_method_that_the_server_supports() {
    let fake = fake_with(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] })).await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    let grant = granted_with(&fake, &with_secret()).await.unwrap();
    assert_eq!(grant.binding.auth_method, AuthMethod::ClientSecretPost);
    let request = &fake.requests_to(TOKEN)[0];
    assert_eq!((request.form()["client_secret"].as_str(), request.authorization()), ("s e/cret", ""));
    // Metadata that lists only `none` is about clients that act for a person.
    let fake = fake_with(json!({ "token_endpoint_auth_methods_supported": ["none"] })).await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    let grant = granted_with(&fake, &with_secret()).await.unwrap();
    assert_eq!(grant.binding.auth_method, AuthMethod::ClientSecretBasic);
}

#[tokio::test]
async fn a_signed_assertion_proves_the_client() {
    let fake = fake_with(json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] })).await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    let grant = granted_with(&fake, &with_key()).await.unwrap();
    assert_eq!(grant.binding.auth_method, AuthMethod::PrivateKeyJwt);
    granted_with(&fake, &with_key()).await.unwrap();
    let requests = fake.requests_to(TOKEN);
    let (first, second) = (assertion(&requests[0]), assertion(&requests[1]));
    assert_eq!(first.1, json!({ "alg": "ES256", "typ": "JWT", "kid": "key-1" }));
    let issued = now().as_second();
    let expected = json!({
        "iss": "app", "sub": "app", "aud": fake.origin, "iat": issued, "exp": issued + 60, "jti": first.0["jti"],
    });
    assert_eq!(first.0, expected);
    assert!(first.0["jti"].as_str().unwrap().len() >= 22 && first.0["jti"] != second.0["jti"]);
    let mut rest = requests[0].form();
    rest.remove("client_assertion");
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let expected = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", kind),
        ("resource", &fake.at("/mcp")),
    ];
    assert_eq!(rest, form(&expected), "the assertion names the client");
}

#[tokio::test]
async fn the_token_endpoint_is_tried_as_the_audience_only_after_invalid_client() {
    let invalid = || Response::oauth_error(401, "invalid_client");
    let fake = fake_with(json!({})).await;
    fake.on_each(TOKEN, [invalid(), Response::json(json!({ "access_token": "t" }))]);
    granted_with(&fake, &with_key()).await.unwrap();
    let audiences: Vec<_> =
        fake.requests_to(TOKEN).iter().map(|request| assertion(request).0["aud"].clone()).collect();
    assert_eq!(audiences, [json!(fake.origin), json!(fake.at("/token"))]);
    let configured = ClientSettings { assertion_audience: Some("urn:x".into()), ..with_key() };
    for (settings, response, count) in [
        (with_key(), invalid(), 2),
        (with_key(), Response::oauth_error(400, "invalid_scope"), 1),
        (with_key(), Response::text(503, ""), 1),
        (configured, invalid(), 1),
    ] {
        let fake = fake_with(json!({})).await;
        fake.on(TOKEN, response);
        granted_with(&fake, &settings).await.unwrap_err();
        assert_eq!(fake.requests_to(TOKEN).len(), count);
    }
}

#[tokio::test]
async fn missing_settings_are_named_before_anything_is_sent() {
    let fake = fake_with(json!({})).await;
    let without_proof = with_client();
    let without_client = ClientSettings { client_id: None, ..with_secret() };
    for (settings, expected) in
        [(without_proof, "a client secret or a private key"), (without_client, "a client ID")]
    {
        let error = granted_with(&fake, &settings).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::SettingMissing { what: expected });
    }
    let other = usher_oauth::Issuer::parse("https://as.example.com").unwrap();
    let pinned = ClientSettings { issuer: Some(other), ..with_secret() };
    let error = granted_with(&fake, &pinned).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }), "{error:?}");
    assert!(fake.requests_to(TOKEN).is_empty());
}
