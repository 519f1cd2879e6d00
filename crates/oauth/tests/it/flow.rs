//! A complete sign-in, request by request.

use serde_json::json;
use usher_oauth::{ClientSettings, Discovered, HttpClient, Scopes, exchange, refresh, revoke};

use crate::support::*;

#[tokio::test]
async fn no_request_is_repeated_and_stored_metadata_is_not_requested_again() {
    let fake = Fake::start().await;
    fake.serve_changed_metadata(json!({ "revocation_endpoint": fake.at("/revoke") }));
    fake.on(REGISTER, created(json!({ "client_id": "app" })));
    let tokens = json!({ "access_token": "t", "refresh_token": "r", "expires_in": 60 });
    fake.on(TOKEN, Response::json(tokens));
    fake.on("POST /revoke", Response::text(200, ""));
    let (http, settings) = (http_for(&fake).await, ClientSettings::default());
    let metadata = fake.at("/.well-known/oauth-protected-resource/mcp");
    let challenge = challenge(&format!("Bearer resource_metadata=\"{metadata}\""));

    let found = discover_with(&fake, Some(&challenge), &settings).await.unwrap();
    let stored = serde_json::to_string(&found).unwrap();
    let registered = register_at(&fake, found, &settings, None).await;
    let client = registered.client().clone();
    let grant = exchange(&http, accepted(registered.authorize(&Scopes::default(), now()).unwrap()), now())
        .await
        .unwrap();
    assert_eq!(grant.expires_at, Some(now_plus(60)));
    assert_eq!(fake.request_lines(), [RESOURCE, METADATA, REGISTER, TOKEN]);

    fake.forget_requests();
    let found: Discovered = serde_json::from_str(&stored).unwrap();
    assert_eq!(found.binding(&client), grant.binding);
    let registered = register_at(&fake, found, &settings, Some(client)).await;
    let grant = exchange(&http, accepted(registered.authorize(&Scopes::default(), now()).unwrap()), now())
        .await
        .unwrap();
    let grant = refresh(&http, &grant, None, now_plus(50)).await.unwrap();
    assert_eq!(grant.expires_at, Some(now_plus(110)));
    revoke(&http, &grant, None).await.unwrap();
    assert_eq!(fake.request_lines(), [TOKEN, TOKEN, "POST /revoke"]);
}

/// The engine runs each step in its own task, which requires `Send`.
#[test]
fn every_step_can_move_between_threads() {
    fn assert_send<T: Send>(_: &T) {}
    fn assert_shareable<T: Send + Sync + Clone + 'static>() {}
    assert_shareable::<HttpClient>();
    assert_shareable::<Discovered>();
    fn all(http: &HttpClient, code: usher_oauth::AuthorizationCode, grant: &usher_oauth::Grant) {
        assert_send(&exchange(http, code, now()));
        assert_send(&refresh(http, grant, None, now()));
        assert_send(&revoke(http, grant, None));
    }
    let _ = all;
}
