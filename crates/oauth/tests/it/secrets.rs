//! Secrets are never printed or serialized, except in requests and the secret store.

use axum::response::IntoResponse;
use secrecy::SecretString;
use serde_json::json;
use url::form_urlencoded;
use usher_fake_service::Request;
use usher_oauth::{ClientSettings, Error, RedirectUri, Scopes, exchange, refresh};

use crate::support::*;

#[tokio::test]
async fn no_secret_is_printed_or_serialized() {
    let changes = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] });
    let fake = Fake::start_with_changed_metadata(changes).await;
    let tokens = json!({ "access_token": "CANARY-access", "refresh_token": "CANARY-refresh" });
    fake.on(TOKEN, Response::json(tokens));
    fake.on(REGISTER, Response::json(json!({ "client_id": "app", "client_secret": "CANARY-client" })));
    let settings = ClientSettings { client_secret: Some("CANARY-configured".into()), ..Default::default() };
    let registered = register_with(&fake, &settings, &RedirectUri::custom_scheme()).await.unwrap();
    let registration = serde_json::to_string(&registered.client().registration).unwrap();
    let discovered = serde_json::to_string(registered.discovered()).unwrap();
    let mut printed = vec![registration, discovered, format!("{registered:?} {settings:?}")];

    let pending = registered.authorize(&Scopes::default(), now()).unwrap();
    let (state, verifier) = (pending.state().to_owned(), code_verifier(&pending));
    printed.push(format!("{pending:?} {:?}", pending.to_secret()));
    let response = parsed(&callback(&pending, "code=CANARY-code")).unwrap();
    printed.push(format!("{response:?}"));
    let code = pending.accept(response, now()).unwrap();
    printed.push(format!("{code:?}"));
    let http = http_for(&fake).await;
    let grant = exchange(&http, code, now()).await.unwrap();
    printed.push(format!("{grant:?}"));
    printed.push(serde_json::to_string(&grant.binding).unwrap());
    // A page repeats the refresh token.
    fake.on(TOKEN, Response::new(200, "text/plain", "CANARY-refresh"));
    let secret = SecretString::from("CANARY-client");
    let error = refresh(&http, &grant, Some(&secret), now()).await.unwrap_err();
    printed.push(format!("{error} {error:?} {}", error.error.hint()));
    for text in printed {
        assert!(!text.contains("CANARY"), "{text}");
        assert!(!text.contains(&state) && !text.contains(&verifier), "{text}");
    }
}

/// Returns the PKCE code verifier, which only the serialized pending authorization contains.
fn code_verifier(pending: &usher_oauth::PendingAuthorization) -> String {
    let secret = pending.to_secret();
    let persisted: serde_json::Value =
        serde_json::from_str(secrecy::ExposeSecret::expose_secret(&secret)).unwrap();
    persisted["verifier"].as_str().unwrap().to_owned()
}

/// The forms in which a server can repeat a secret.
const ECHOES: [fn(&str) -> String; 7] = [
    |secret| secret.to_owned(),
    |secret| format!("unknown value “{secret}”."),
    |secret| form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
    |secret| form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>().replace("%2B", "%2b"),
    |secret| secret.chars().flat_map(|character| [character, '\u{200b}']).collect(),
    |secret| secret.chars().take(20).collect(),
    |secret| secret.chars().skip(3).collect(),
];

/// The secrets in a request to the token endpoint.
fn secrets_in(request: &Request) -> Vec<String> {
    let form = request.form();
    let fields = ["code", "code_verifier", "refresh_token", "client_secret"];
    let mut secrets: Vec<String> = fields.iter().filter_map(|field| form.get(*field).cloned()).collect();
    if let Some(basic) = request.authorization().strip_prefix("Basic ") {
        secrets.extend([CLIENT_SECRET.to_owned(), basic.to_owned()]);
    }
    secrets
}

const CLIENT_SECRET: &str = "client-secret+CANARY/4711==";
const CODE: &str = "code+CANARY/4711==0815";
const REFRESH_TOKEN: &str = "refresh-token+CANARY/4711==";

/// Whether a text contains a part of the secret that is long enough to be of use.
fn contains_part(text: &str, secret: &str) -> bool {
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [secret, &encoded].iter().any(|form| {
        let parts = form.as_bytes().windows(12).filter_map(|part| std::str::from_utf8(part).ok());
        parts.into_iter().any(|part| text.contains(part))
    })
}

/// A token endpoint that repeats each secret of a request, in each form and in each field that is shown.
#[tokio::test]
async fn no_secret_that_a_server_repeats_is_shown() {
    for echo in ECHOES {
        for method in ["client_secret_basic", "client_secret_post"] {
            for status in [200, 400, 401] {
                let printed = printed_with_echo(method, status, echo).await;
                assert!(printed.len() >= 2, "an exchange and a refresh");
            }
        }
    }
}

/// Exchanges a code and refreshes a grant, both in vain, and checks what is shown.
async fn printed_with_echo(method: &str, status: u16, echo: fn(&str) -> String) -> Vec<String> {
    let changes = json!({ "token_endpoint_auth_methods_supported": [method] });
    let fake = Fake::start_with_changed_metadata(changes).await;
    fake.on(REGISTER, created(json!({ "client_id": "app", "client_secret": CLIENT_SECRET })));
    let http = http_for(&fake).await;
    let code = async || {
        let settings = ClientSettings::default();
        let registered = register_with(&fake, &settings, &RedirectUri::custom_scheme()).await.unwrap();
        let pending = registered.authorize(&Scopes::default(), now()).unwrap();
        let code: String = form_urlencoded::byte_serialize(CODE.as_bytes()).collect();
        let response = parsed(&callback(&pending, &format!("code={code}"))).unwrap();
        pending.accept(response, now()).unwrap()
    };
    let tokens = json!({ "access_token": "an-access-token", "refresh_token": REFRESH_TOKEN });
    fake.intercept(move |_| Some(Response::json(tokens.clone()).into_response()));
    let grant = exchange(&http, code().await, now()).await.unwrap();
    fake.forget_requests();
    fake.intercept(move |request| {
        let texts: Vec<String> = secrets_in(request).iter().map(|secret| echo(secret)).collect();
        let text = texts.join(" ");
        let body = json!({ "error": text, "error_description": text });
        Some(Response::json_with(status, body).into_response())
    });
    let exchanged = exchange(&http, code().await, now()).await.unwrap_err();
    let secret = SecretString::from(CLIENT_SECRET);
    let refreshed = refresh(&http, &grant, Some(&secret), now()).await.unwrap_err().error;
    let shown = |error: &Error| format!("{error} {error:?} {}", error.hint());
    let printed = vec![shown(&exchanged), shown(&refreshed)];
    let requests = fake.requests_to(TOKEN);
    let mut sent: Vec<String> = requests.iter().flat_map(secrets_in).collect();
    sent.sort();
    sent.dedup();
    assert!([CODE, REFRESH_TOKEN, CLIENT_SECRET].iter().all(|secret| sent.contains(&(*secret).to_owned())));
    for text in &printed {
        assert!(text.contains('…'), "the server's text is not shown at all: {text}");
        for secret in &sent {
            assert!(!contains_part(text, secret), "{method} {status}: {secret} is shown in {text}");
        }
    }
    printed
}

#[test]
fn debug_redacts_tokens() {
    assert_eq!(format!("{:?}", usher_oauth::AccessToken::new("t")), "[redacted]");
    assert_eq!(format!("{:?}", usher_oauth::RefreshToken::new("t")), "[redacted]");
}

/// An authorization server that repeats the device code and the client secret in its errors.
#[tokio::test]
async fn no_device_code_is_printed() {
    let fake = Fake::start().await;
    fake.serve_changed_metadata(json!({ "device_authorization_endpoint": fake.at("/device_authorization") }));
    let page = fake.at("/device");
    fake.intercept(move |_| {
        let codes = json!({
            "device_code": "device-code+CANARY/4711==", "user_code": "ABCD", "verification_uri": page,
        });
        Some(Response::json(codes).into_response())
    });
    let settings = ClientSettings {
        client_id: Some("app".into()),
        client_secret: Some(CLIENT_SECRET.into()),
        flow: usher_oauth::Flow::Device,
        ..Default::default()
    };
    let (http, extra) = (http_for(&fake).await, Scopes::default());
    let start = async || {
        let request = usher_oauth::RegistrationRequest {
            settings: &settings,
            redirect: None,
            extra_scopes: &extra,
            known: None,
        };
        let discovered = discover_with(&fake, None, &settings).await.unwrap();
        let registered = discovered.register(&http, request, now()).await.unwrap();
        registered.authorize_device(&http, &settings, &extra, now()).await
    };
    let mut device = start().await.unwrap();
    let mut printed = vec![format!("{device:?} {:?}", device.to_secret())];
    for echo in ECHOES {
        fake.intercept(move |request| {
            let mut secrets = secrets_in(request);
            secrets.extend(request.form().get("device_code").cloned());
            let text = secrets.iter().map(|secret| echo(secret)).collect::<Vec<_>>().join(" ");
            let body = json!({ "error": text, "error_description": text });
            Some(Response::json_with(400, body).into_response())
        });
        for error in [start().await.unwrap_err(), device.poll(&http, now()).await.unwrap_err()] {
            printed.push(format!("{error} {error:?} {}", error.hint()));
        }
    }
    for text in printed {
        for secret in ["device-code+CANARY/4711==", CLIENT_SECRET] {
            assert!(!contains_part(&text, secret), "{text}");
        }
    }
}

/// An authorization server that repeats the assertion in its errors.
#[tokio::test]
async fn no_assertion_and_no_key_is_printed() {
    let settings = crate::client_credentials::with_key();
    let mut printed = vec![format!("{settings:?}")];
    let mut assertions = Vec::new();
    for echo in ECHOES {
        let fake = Fake::start_with_metadata().await;
        fake.intercept(move |request| {
            let assertion = request.form().get("client_assertion").cloned().unwrap_or_default();
            let body = json!({ "error": echo(&assertion), "error_description": echo(&assertion) });
            Some(Response::json_with(400, body).into_response())
        });
        let binding =
            discover_with(&fake, None, &settings).await.unwrap().unattended_binding(&settings).unwrap();
        let (http, scopes) = (http_for(&fake).await, Scopes::default());
        let step = usher_oauth::Step::TokenExchange;
        let request = usher_oauth::request_unattended(&http, binding, &settings, &scopes, step, now());
        let error = request.await.unwrap_err();
        printed.push(format!("{error} {error:?} {}", error.hint()));
        let requests = fake.requests_to(TOKEN);
        assertions.extend(requests.iter().map(|request| request.form()["client_assertion"].clone()));
    }
    assert_eq!(assertions.len(), ECHOES.len());
    let key: String =
        include_str!("../keys/ec256.pem").lines().filter(|line| !line.starts_with('-')).collect();
    for text in &printed {
        for secret in assertions.iter().chain([&key]) {
            assert!(!contains_part(text, secret), "{text}");
        }
    }
}
