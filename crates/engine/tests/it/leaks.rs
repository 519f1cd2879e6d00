//! No token, code or client secret leaves the engine: not in a view, an event, an error, a log or a file outside the
//! secret store.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::response::{IntoResponse, Response};
use serde_json::json;
use usher_api::{AuthorizationRequestView, ErrorView};
use usher_engine::{Engine, SignInOptions};
use usher_fake_service::{FakeService, IssuedTokens, Options, Reply, Request};

use crate::fixture::*;
use crate::leak_search::*;

const CODE: &str = "a-code+of/4711==";
const CLIENT_SECRET: &str = "a-client-secret+of/4711==";

/// A service with confidential clients that can repeat every secret of a request in its response.
struct Parrot {
    service: FakeService,
    repeats: Arc<AtomicBool>,
    /// The access tokens before this one are rejected.
    valid_from: Arc<AtomicUsize>,
    /// The contents of the state folder while the token endpoint had a request.
    seen_on_disk: Arc<Mutex<Vec<String>>>,
}

impl Parrot {
    async fn start(state: PathBuf, auth_method: &str) -> Self {
        let service = FakeService::start(Options::default()).await.unwrap();
        let issued: Vec<IssuedTokens> = (0..4).map(|_| service.issue_tokens("client-0")).collect();
        let (repeats, valid_from) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let seen_on_disk = Arc::<Mutex<Vec<String>>>::default();
        let (is_parrot, oldest, seen) = (repeats.clone(), valid_from.clone(), seen_on_disk.clone());
        let granted = AtomicUsize::new(0);
        service.intercept(move |request| match request.path.as_str() {
            "/register" => Some(
                Reply::json_with(201, json!({ "client_id": "client-0", "client_secret": CLIENT_SECRET }))
                    .into_response(),
            ),
            "/token" => {
                read_all(&state, &mut seen.lock().unwrap());
                if is_parrot.load(Ordering::SeqCst) {
                    return Some(echo(400, request));
                }
                let tokens = &issued[granted.fetch_add(1, Ordering::SeqCst)];
                let tokens =
                    json!({ "access_token": tokens.access_token, "refresh_token": tokens.refresh_token });
                Some(Reply::json(tokens).into_response())
            }
            "/revoke" => Some(echo(400, request)),
            "/mcp" => {
                let oldest = oldest.load(Ordering::SeqCst);
                let is_rejected = issued[..oldest]
                    .iter()
                    .any(|tokens| request.authorization().contains(&tokens.access_token));
                is_rejected.then(|| echo(401, request))
            }
            _ => None,
        });
        service.change_server_metadata(json!({
            "token_endpoint_auth_methods_supported": [auth_method],
            "revocation_endpoint": service.at("/revoke"),
        }));
        Parrot { service, repeats, valid_from, seen_on_disk }
    }

    /// The secrets of all requests, by their kinds.
    fn secrets(&self) -> BTreeSet<(&'static str, String)> {
        let mut secrets = BTreeSet::from([("client_secret", CLIENT_SECRET.to_owned())]);
        for request in self.service.requests() {
            secrets.extend(secrets_in(&request));
        }
        secrets
    }

    /// Lets the person sign in and approve the request.
    async fn sign_in(&self, engine: &Engine) -> Result<AuthorizationRequestView, ErrorView> {
        let request = engine.sign_in(&id(), SignInOptions::default()).await?;
        let address = url::Url::parse(&request.authorization_url).unwrap();
        let value =
            |name: &str| address.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
        let mut callback = url::Url::parse(&value("redirect_uri")).unwrap();
        callback
            .query_pairs_mut()
            .append_pair("code", CODE)
            .append_pair("state", &value("state"))
            .append_pair("iss", &self.service.origin);
        engine.complete_sign_in(callback.as_str()).await?;
        Ok(request)
    }
}

fn secrets_in(request: &Request) -> Vec<(&'static str, String)> {
    let form = request.form();
    let fields = ["code", "code_verifier", "refresh_token", "client_secret", "token"];
    let mut secrets: Vec<_> =
        fields.iter().filter_map(|field| Some((*field, form.get(*field)?.clone()))).collect();
    if let Some((kind, secret)) = request.authorization().split_once(' ') {
        let kind = if kind == "Bearer" { "access_token" } else { "basic" };
        secrets.push((kind, secret.to_owned()));
    }
    secrets
}

/// Repeats each secret of the request, also in the form in which a request encodes it.
fn echo(status: u16, request: &Request) -> Response {
    let texts =
        secrets_in(request).into_iter().map(|(kind, secret)| format!("{kind} {secret} {}", encoded(&secret)));
    let text = texts.collect::<Vec<_>>().join(", ");
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{text}\"");
    let body = json!({ "error": format!("invalid_request {text}"), "error_description": text });
    Reply::json_with(status, body).with("www-authenticate", &challenge).into_response()
}

fn encoded(secret: &str) -> String {
    url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()
}

#[tokio::test]
async fn no_secret_leaves_the_engine() {
    check_leaks("client_secret_post").await;
}

#[tokio::test]
async fn no_client_secret_in_a_header_leaves_the_engine() {
    check_leaks("client_secret_basic").await;
}

/// The device code is in the secret store while the sign-in waits, and nowhere else. A server repeats it in its errors.
#[tokio::test]
async fn no_device_code_leaves_the_engine() {
    const DEVICE_CODE: &str = "a-device-code+of/4711==";
    let log = Log::start();
    let sandbox = Sandbox::new();
    let service = FakeService::start(Options::default()).await.unwrap();
    service.change_server_metadata(json!({
        "device_authorization_endpoint": service.at("/device_authorization"),
        "grant_types_supported": null,
    }));
    let page = service.at("/device");
    let polls = AtomicUsize::new(0);
    service.intercept(move |request| match request.path.as_str() {
        "/device_authorization" => {
            let codes = json!({
                "device_code": DEVICE_CODE, "user_code": "WDJB-MJHT", "verification_uri": page,
                "interval": 1, "expires_in": 60,
            });
            Some(Reply::json(codes).into_response())
        }
        "/token" => {
            let is_first = polls.fetch_add(1, Ordering::SeqCst) == 0;
            let text = request.form()["device_code"].clone();
            let error = if is_first { "authorization_pending".to_owned() } else { format!("bad {text}") };
            let body = json!({ "error": error, "error_description": format!("{text} {}", encoded(&text)) });
            Some(Reply::json_with(400, body).into_response())
        }
        _ => None,
    });
    sandbox.write_config(&config(&[("demo", &service.url())]));
    let engine = sandbox.start().await;
    let mut events = engine.subscribe();
    let device = sign_in_on_device(&engine).await.unwrap();
    let mut texts = vec![format!("{device:?} {}", serde_json::to_string(&engine.snapshot()).unwrap())];
    read_all(&sandbox.path("state"), &mut texts);
    let stored = || std::fs::read_to_string(sandbox.path("secrets")).unwrap_or_default();
    until_true(|| stored().contains("pending:demo")).await;
    let view = until(&engine, &id(), |view| view.last_error.is_some()).await;
    texts.push(format!("{view:?}"));
    while let Ok(event) = events.try_recv() {
        texts.push(serde_json::to_string(&event).unwrap());
    }
    engine.stop().await;
    read_all(&sandbox.path("state"), &mut texts);
    read_all(&sandbox.path("runtime"), &mut texts);
    texts.push(log.text());
    assert!(
        texts.iter().any(|text| text.contains("WDJB-MJHT"))
            && texts.iter().any(|text| text.contains("bad …"))
    );
    for form in [encoded(DEVICE_CODE), DEVICE_CODE.to_owned()] {
        assert_absent(&texts, "device code", &form);
    }
    assert!(!stored().contains("pending:demo"), "the finished sign-in is deleted");
}

async fn check_leaks(auth_method: &str) {
    let log = Log::start();
    let sandbox = Sandbox::new();
    let parrot = Parrot::start(sandbox.path("state"), auth_method).await;
    sandbox.write_config(&config(&[("demo", &parrot.service.url())]));
    let engine = sandbox.start().await;
    let mut events = engine.subscribe();
    let mut texts = Vec::new();
    let shown = |error: &ErrorView| format!("{error:?} {}", serde_json::to_string(error).unwrap());

    // A code that the server rejects, and one that it accepts.
    parrot.repeats.store(true, Ordering::SeqCst);
    texts.push(shown(&parrot.sign_in(&engine).await.unwrap_err()));
    parrot.repeats.store(false, Ordering::SeqCst);
    parrot.sign_in(&engine).await.unwrap();
    until(&engine, &id(), is_connected).await;

    // A refresh that the server accepts, one that it rejects, and a sign-in after it.
    parrot.valid_from.store(1, Ordering::SeqCst);
    call(&engine, "read").await.unwrap();
    parrot.repeats.store(true, Ordering::SeqCst);
    parrot.valid_from.store(2, Ordering::SeqCst);
    texts.push(shown(&call(&engine, "read").await.unwrap_err()));
    texts.push(serde_json::to_string(&engine.snapshot()).unwrap());
    parrot.repeats.store(false, Ordering::SeqCst);
    parrot.sign_in(&engine).await.unwrap();
    until(&engine, &id(), is_connected).await;
    engine.sign_out(&id()).await.unwrap();
    parrot.service.until_requests("POST /revoke", 1).await;
    texts.push(serde_json::to_string(&engine.snapshot()).unwrap());
    while let Ok(event) = events.try_recv() {
        texts.push(serde_json::to_string(&event).unwrap());
    }
    engine.stop().await;

    read_all(&sandbox.path("state"), &mut texts);
    read_all(&sandbox.path("runtime"), &mut texts);
    texts.push(std::fs::read_to_string(sandbox.path("mcp.json")).unwrap());
    let seen_on_disk = std::mem::take(&mut *parrot.seen_on_disk.lock().unwrap());
    assert!(seen_on_disk.iter().any(|text| text.contains("sent_at")), "the journal of refreshes was read");
    texts.extend(seen_on_disk);
    let log = log.text();
    assert!(log.contains("signed in") && log.contains("not revoked"), "the log was read: {log}");
    texts.push(log);

    let secrets = parrot.secrets();
    let kinds: BTreeSet<_> = secrets.iter().map(|(kind, _)| *kind).collect();
    let mut expected =
        BTreeSet::from(["access_token", "client_secret", "code", "code_verifier", "refresh_token", "token"]);
    if auth_method == "client_secret_basic" {
        expected.insert("basic");
    }
    assert_eq!(kinds, expected);
    for (kind, secret) in secrets {
        assert!(secret.len() >= 16);
        for form in [encoded(&secret), secret] {
            assert_absent(&texts, kind, &form);
        }
    }
}
