//! The revocation at the end of a sign-out.

use serde_json::json;
use usher_api::{Request, ServerVerb, Status};
use usher_fake_service::Options;
use usher_secrets::StoredGrant;

use crate::fixture::*;
use crate::granted_service::GrantedService;
use crate::leak_search::Log;

/// The change to the client secret before the sign-out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Kept,
    Withdrawn,
    Deleted,
}

/// Signs out, and returns the client secrets of the revocations.
async fn secrets_of_revocations(fate: Fate, is_disabled: bool) -> Vec<Option<String>> {
    let (sandbox, service) = (Sandbox::new(), GrantedService::start(Options::default()).await);
    let store = service.configure(&sandbox);
    let oauth = json!({ "clientId": "client", "clientSecret": "{{key}}" });
    let entry = json!({ "type": "http", "url": service.url(), "oauth": oauth });
    sandbox.write_config(&json!({ "mcpServers": { "demo": entry } }).to_string());
    let grant = StoredGrant { auth_method: "client_secret_post".to_owned(), ..service.expired_grant() };
    store.put_grant("demo", &grant).await.unwrap();
    store.put_named("key", &"hush".into()).await.unwrap();
    let engine = sandbox.start_connected().await;
    if is_disabled {
        engine.handle(Request::server(&id(), ServerVerb::Disable)).await.unwrap();
        until(&engine, &id(), |view| view.status == Status::Disabled).await;
    }
    match fate {
        Fate::Kept => {}
        Fate::Withdrawn => engine.disallow_secret("key", &service.at("")).await.unwrap(),
        Fate::Deleted => assert!(engine.delete_secret("key").await.unwrap()),
    }
    engine.sign_out(&id()).await.unwrap();
    engine.stop().await;
    assert!(store.grant("demo").await.unwrap().is_none());
    let requests = service.requests_to("POST /revoke");
    requests.iter().map(|request| request.form().get("client_secret").cloned()).collect()
}

#[tokio::test]
async fn a_client_secret_that_may_not_be_sent_any_more_is_not_sent_for_a_revocation() {
    let log = Log::start();
    for is_disabled in [false, true] {
        let sent = secrets_of_revocations(Fate::Kept, is_disabled).await;
        assert_eq!(sent, [Some("hush".to_owned())]);
        for fate in [Fate::Withdrawn, Fate::Deleted] {
            let logged = log.text().len();
            let sent = secrets_of_revocations(fate, is_disabled).await;
            assert_eq!(sent, [], "{fate:?}, disabled: {is_disabled}");
            assert!(log.text()[logged..].contains("the grant was not revoked"), "the log says so");
        }
    }
}
