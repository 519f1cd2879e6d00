//! The named secrets: their list, a new value, a withdrawn origin, and their removal.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use usher_api::{
    Code, Request, SecretState, SecretUseView, SecretView, SecretsView, ServerId, ServerView, Status,
};
use usher_demo::DemoOptions;
use usher_engine::{Engine, EngineOptions, MAX_SECRET_BYTES, SignInOptions, allowed_origins};
use usher_fake_service::FakeService;

use crate::fixture::*;

fn entry_with_key(url: &str) -> Value {
    json!({ "type": "http", "url": url, "headers": { "X-Key": "{{key}}" } })
}

fn write_servers(sandbox: &Sandbox, servers: &Value) {
    sandbox.write_config(&json!({ "mcpServers": servers }).to_string());
}

/// An engine that is connected to a server with the secret `key`.
async fn connected_with_key() -> (Sandbox, FakeService, Engine) {
    let (sandbox, service) = (Sandbox::new(), mcp_server(|_| None).await);
    write_servers(&sandbox, &json!({ "demo": entry_with_key(&service.url()) }));
    let engine = sandbox.start().await;
    engine.add_secret("key", "hush".into()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    (sandbox, service, engine)
}

/// The values of the header that a service received.
fn sent(service: &FakeService) -> Vec<String> {
    let requests = service.requests();
    let values = requests.iter().filter_map(|request| request.headers.get("x-key")?.to_str().ok());
    values.map(str::to_owned).collect()
}

async fn secret(engine: &Engine, name: &str) -> SecretView {
    let list = engine.secret_list().await.unwrap().secrets;
    list.into_iter().find(|secret| secret.name == name).unwrap()
}

fn is_refused(view: &ServerView) -> bool {
    matches!(&view.status, Status::Failed { error } if error.code == Code::SecretNotAllowed)
}

fn use_of(server: &str, setting: &[&str]) -> SecretUseView {
    SecretUseView {
        server: ServerId(server.to_owned()),
        server_name: server.to_owned(),
        setting: setting.iter().map(|key| (*key).to_owned()).collect(),
        is_program: false,
        is_disabled: false,
    }
}

#[tokio::test]
async fn the_list_says_which_entries_use_a_secret_and_where_it_may_go() {
    let (sandbox, service) = (Sandbox::new(), mcp_server(|_| None).await);
    let origin = service.at("");
    let servers = json!({
        "home": {
            "type": "http", "url": service.url(), "title": "Home",
            "headers": { "X-Key": "{{key}}", "X-Other": "a {{key}}", "X-Path": "${PATH}" } },
        "off": {
            "type": "http", "url": "https://mcp.example.com", "disabled": true,
            "oauth": { "clientId": "id", "clientSecret": "{{key}}" } },
        "tool": { "command": "tool", "args": ["{{tool_key}}", "--again={{tool_key}}"], "env": { "KEY": "{{tool_key}}" } },
        "wrong": { "type": "http", "headers": { "X-Key": "{{unknown}}" } },
    });
    write_servers(&sandbox, &servers);
    let engine = sandbox.start().await;
    engine.add_secret("key", "hush".into()).await.unwrap();
    engine.add_secret("unused", "hush".into()).await.unwrap();
    let home = ServerId("home".to_owned());
    until(&engine, &home, is_connected).await;
    engine.disallow_secret("key", "https://mcp.example.com").await.unwrap();

    let mut list = engine.secret_list().await.unwrap();
    let times: Vec<_> = list.secrets.iter_mut().map(|secret| secret.last_used.take()).collect();
    assert_eq!(times.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, false]);
    let of_tool = |setting: &[&str]| SecretUseView { is_program: true, ..use_of("tool", setting) };
    let none = SecretView {
        name: String::new(),
        state: SecretState::Stored,
        uses: Vec::new(),
        origins: Vec::new(),
        refused_origins: Vec::new(),
        in_use: false,
        last_used: None,
    };
    let home_use =
        |header| SecretUseView { server_name: "Home".to_owned(), ..use_of("home", &["headers", header]) };
    let key = SecretView {
        name: "key".to_owned(),
        uses: vec![
            home_use("X-Key"),
            home_use("X-Other"),
            SecretUseView { is_disabled: true, ..use_of("off", &["oauth", "clientSecret"]) },
        ],
        origins: vec![origin.clone()],
        refused_origins: vec!["https://mcp.example.com".to_owned()],
        in_use: true,
        ..none.clone()
    };
    let tool_key = SecretView {
        name: "tool_key".to_owned(),
        state: SecretState::Missing,
        uses: vec![of_tool(&["args"]), of_tool(&["env", "KEY"])],
        ..none.clone()
    };
    let unused = SecretView { name: "unused".to_owned(), ..none.clone() };
    // The first run allows what the file contains.
    let path = SecretView {
        name: "${PATH}".to_owned(),
        state: SecretState::Variable,
        uses: vec![home_use("X-Path")],
        origins: vec![origin],
        ..none
    };
    let secrets = vec![key, tool_key, unused, path];
    let expected = SecretsView { secrets, unknown_entries: vec!["wrong".to_owned()], config_error: None };
    assert_eq!(list, expected);
}

#[tokio::test]
async fn without_a_valid_file_the_stored_secrets_are_listed() {
    let (sandbox, _service, engine) = connected_with_key().await;
    sandbox.write_config("{");
    let list = engine.secret_list().await.unwrap();
    assert_eq!(list.config_error.unwrap().code, Code::ConfigInvalid);
    let [key] = list.secrets.as_slice() else { panic!("{:?}", list.secrets) };
    assert_eq!((key.state, key.uses.len(), key.origins.len()), (SecretState::Stored, 0, 1));
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_an_error() {
    let (sandbox, _service, engine) = connected_with_key().await;
    std::fs::write(sandbox.path("secrets"), "not secrets").unwrap();
    let error = engine.handle(Request::Secrets).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainUnavailable);
}

#[tokio::test]
async fn the_last_use_is_kept_when_the_engine_stops() {
    let (sandbox, _service, engine) = connected_with_key().await;
    let file = sandbox.path("state/last-uses.json");
    assert!(!file.exists(), "a use writes no file");
    // A connected server counts as a use.
    sandbox.clock.advance(Duration::from_secs(7200));
    let used = secret(&engine, "key").await;
    assert!(used.in_use);
    engine.stop().await;
    assert!(!std::fs::read_to_string(&file).unwrap().contains("hush"));

    let options = EngineOptions { only: Some(Vec::new()), ..sandbox.options() };
    let engine = Engine::start(options).await.unwrap();
    let kept = secret(&engine, "key").await;
    assert!(!kept.in_use);
    let lost = kept.last_used.unwrap().duration_since(used.last_used.unwrap());
    assert!(lost.abs().as_secs() < 60, "{kept:?} {used:?}");
}

#[tokio::test]
async fn a_new_value_replaces_the_old_one_where_it_was_allowed() {
    let (sandbox, service, engine) = connected_with_key().await;
    let origins = allowed_origins(&sandbox.path("state")).unwrap();
    engine.set_secret("key", "a new value\n".into()).await.unwrap();
    until_true(|| sent(&service).last().is_some_and(|value| value == "a new value")).await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(allowed_origins(&sandbox.path("state")).unwrap(), origins);
    assert_eq!(engine.secrets().await.unwrap(), ["key"]);
}

#[tokio::test]
async fn a_secret_of_a_disabled_entry_is_bound_before_its_first_use() {
    let (sandbox, service, other) = (Sandbox::new(), mcp_server(|_| None).await, mcp_server(|_| None).await);
    let disabled = |service: &FakeService| {
        let mut entry = entry_with_key(&service.url());
        entry["disabled"] = true.into();
        entry
    };
    // What the file contains at the first start is allowed.
    sandbox.write_config("{}");
    let engine = sandbox.start().await;
    write_servers(&sandbox, &json!({ "demo": disabled(&service), "two": disabled(&other) }));
    engine.set_secret("key", "hush".into()).await.unwrap();
    let bound = || allowed_origins(&sandbox.path("state")).unwrap();
    assert!(bound().is_empty(), "two origins may use it: {:?}", bound());

    write_servers(&sandbox, &json!({ "demo": disabled(&service) }));
    for value in ["hush", "hush again"] {
        engine.set_secret("key", value.into()).await.unwrap();
        assert_eq!(bound(), BTreeMap::from([("{{key}}".to_owned(), vec![service.at("")])]));
        // Storing another value does not allow another address.
        write_servers(&sandbox, &json!({ "demo": entry_with_key(&other.url()) }));
        until(&engine, &id(), is_refused).await;
    }
    assert!(other.requests().is_empty(), "something was sent");
}

#[tokio::test]
async fn an_unusable_name_or_value_is_not_stored() {
    let (_sandbox, _service, engine) = connected_with_key().await;
    let long = "x".repeat(MAX_SECRET_BYTES + 1);
    for (name, value) in [
        ("", "value"),
        ("two words", "value"),
        (" key", "value"),
        ("{{other}}", "value"),
        ("${PATH}", "value"),
        ("other", ""),
        ("other", "\r\n"),
        ("other", long.as_str()),
        // Adding never replaces a value.
        ("key", "value"),
    ] {
        let error = engine.add_secret(name, value.into()).await.unwrap_err();
        assert_eq!(error.code, Code::ConfigInvalid, "{name}");
        assert!(error.hint.is_some(), "{name}");
    }
    assert!(engine.add_secret(&"n".repeat(351), "value".into()).await.is_err());
    assert_eq!(engine.secrets().await.unwrap(), ["key"]);
    assert!(engine.set_secret("key", "".into()).await.is_err());
    engine.set_secret("key", "x".repeat(MAX_SECRET_BYTES).into()).await.unwrap();
}

#[tokio::test]
async fn a_withdrawn_origin_gets_the_secret_only_after_the_person_allows_it_again() {
    let (_sandbox, service, engine) = connected_with_key().await;
    let origin = service.at("");
    service.forget_requests();
    engine.handle(Request::DisallowSecret { secret: "key".to_owned(), origin: service.url() }).await.unwrap();
    let view = until(&engine, &id(), is_refused).await;
    assert_eq!(view.secret_requests[0].origin, origin);
    let key = secret(&engine, "key").await;
    assert_eq!((key.origins, key.refused_origins), (Vec::new(), vec![origin.clone()]));
    assert!(!key.in_use && key.last_used.is_some());
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), is_refused).await;
    let sent = || service.requests().into_iter().map(|request| request.line).collect::<Vec<_>>();
    assert_eq!(sent(), Vec::<String>::new());

    engine.allow_secret("key", &origin).await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert!(
        !sent().iter().any(|line| line.starts_with("DELETE")),
        "the old session was ended with the secret"
    );
    assert_eq!(secret(&engine, "key").await.origins, [origin]);
}

#[tokio::test]
async fn a_connection_attempt_with_a_withdrawn_secret_ends() {
    let sandbox = Sandbox::new();
    // Accepts connections, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    write_servers(&sandbox, &json!({ "demo": entry_with_key(&origin) }));
    let engine = sandbox.start().await;
    engine.add_secret("key", "hush".into()).await.unwrap();
    let (_stream, _) = listener.accept().await.unwrap();
    assert_eq!(engine.server(&id()).unwrap().status, Status::Connecting);
    engine.disallow_secret("key", &origin).await.unwrap();
    until(&engine, &id(), is_refused).await;
}

/// The connection stays in use during a sign-in, and the person may cancel the sign-in.
#[tokio::test]
async fn a_withdrawn_secret_is_not_used_by_a_connection_with_a_running_sign_in() {
    let challenge_scopes = ["openid", "notes:read"].map(String::from).to_vec();
    let demo = demo_with(DemoOptions { challenge_scopes, ..DemoOptions::default() }).await;
    for deletes in [false, true] {
        let sandbox = Sandbox::new();
        write_servers(&sandbox, &json!({ "demo": entry_with_key(demo.url().as_str()) }));
        let engine = sandbox.start().await;
        engine.add_secret("key", "hush".into()).await.unwrap();
        sign_in(&engine, &id()).await.unwrap();
        until(&engine, &id(), is_connected).await;
        let started = engine.start_sign_in(&id(), SignInOptions::default()).await;
        started.unwrap();
        until(&engine, &id(), |view| matches!(view.status, Status::SigningIn { .. })).await;
        if deletes {
            engine.delete_secret("key").await.unwrap();
        } else {
            let origin = demo.url().origin().ascii_serialization();
            engine.disallow_secret("key", &origin).await.unwrap();
        }
        until(&engine, &id(), has_failed).await;
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_removed_secret_stops_its_servers_and_leaves_nothing_behind() {
    let (sandbox, service, engine) = connected_with_key().await;
    engine.handle(Request::DeleteSecret { name: "key".to_owned() }).await.unwrap();
    let view = until(&engine, &id(), has_failed).await;
    let Status::Failed { error } = view.status else { panic!("{:?}", view.status) };
    assert!(error.message.contains("key"), "{}", error.message);
    let key = secret(&engine, "key").await;
    assert_eq!((key.state, key.uses.len()), (SecretState::Missing, 1));
    assert_eq!((key.origins.len(), key.refused_origins.len(), key.last_used), (0, 0, None));
    assert!(allowed_origins(&sandbox.path("state")).unwrap().is_empty());

    // The next secret with this name is bound where it is used now.
    engine.add_secret("key", "another".into()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert_eq!(secret(&engine, "key").await.origins, [service.at("")]);
}
