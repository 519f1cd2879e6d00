//! A complete sign-in, request by request.

use serde_json::json;
use usher_oauth::{
    ClientSettings, Discovered, HttpClient, RedirectUri, RegistrationRequest, exchange, refresh, revoke,
};

use crate::support::{Answer, Fake, accepted, challenge, discover_with, http_for, later, now};

#[tokio::test]
async fn no_request_is_repeated_and_a_stored_discovery_saves_its_requests() {
    let fake = Fake::start().await;
    fake.with_server_document(json!({ "revocation_endpoint": fake.at("/revoke") }));
    fake.on("POST /register", Answer::json_with(201, json!({ "client_id": "app" })));
    fake.on(
        "POST /token",
        Answer::json(json!({ "access_token": "t", "refresh_token": "r", "expires_in": 60 })),
    );
    fake.on("POST /revoke", Answer::new(200, "text/plain", ""));
    let (http, settings, redirect) =
        (http_for(&fake).await, ClientSettings::default(), RedirectUri::custom_scheme());
    let metadata = fake.at("/.well-known/oauth-protected-resource/mcp");
    let challenge = challenge(&format!("Bearer resource_metadata=\"{metadata}\""));

    let found = discover_with(&fake, Some(&challenge), &settings).await.unwrap();
    let stored = serde_json::to_string(&found).unwrap();
    let request = RegistrationRequest { settings: &settings, redirect: &redirect, known: None };
    let registered = found.register(&http, request, now()).await.unwrap();
    let client = registered.client().clone();
    let grant = exchange(&http, accepted(registered.authorize(None, now()).unwrap()), now()).await.unwrap();
    assert_eq!(grant.expires_at, Some(later(60)));
    let expected = [
        "GET /.well-known/oauth-protected-resource/mcp",
        "GET /.well-known/oauth-authorization-server",
        "POST /register",
        "POST /token",
    ];
    assert_eq!(fake.lines(), expected);

    fake.forget_requests();
    let found: Discovered = serde_json::from_str(&stored).unwrap();
    assert_eq!(found.binding(&client), grant.binding);
    let request = RegistrationRequest { settings: &settings, redirect: &redirect, known: Some(client) };
    let registered = found.register(&http, request, now()).await.unwrap();
    let grant = exchange(&http, accepted(registered.authorize(None, now()).unwrap()), now()).await.unwrap();
    let grant = refresh(&http, &grant, None, later(50)).await.unwrap();
    assert_eq!(grant.expires_at, Some(later(110)));
    revoke(&http, &grant, None).await.unwrap();
    assert_eq!(fake.lines(), ["POST /token", "POST /token", "POST /revoke"]);
}

/// The engine runs each step in its own task, which requires `Send`.
#[test]
fn every_step_can_move_between_threads() {
    fn sendable<T: Send>(_: &T) {}
    fn shareable<T: Send + Sync + Clone + 'static>() {}
    shareable::<HttpClient>();
    shareable::<Discovered>();
    fn all(http: &HttpClient, code: usher_oauth::AuthorizationCode, grant: &usher_oauth::Grant) {
        sendable(&exchange(http, code, now()));
        sendable(&refresh(http, grant, None, now()));
        sendable(&revoke(http, grant, None));
    }
    let _ = all;
}
