//! Changes to `mcp.json`; a broken file changes nothing.

use usher_api::{AuthView, Code, Event, NewServer, ServerId, ServerView, Status, TransportKind};

use crate::fixture::*;

#[tokio::test]
async fn a_server_is_added_and_removed() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let engine = sandbox.start().await;
    assert!(engine.snapshot().servers.is_empty());
    let server = NewServer { url: demo.url().to_string(), ..NewServer::default() };
    let added = engine.add(server, None).await.unwrap();
    assert_eq!(added, ServerId("server".to_owned()));
    sign_in(&engine, &added).await.unwrap();
    let text = std::fs::read_to_string(sandbox.path("mcp.json")).unwrap();
    assert!(text.contains(demo.url().as_str()), "{text}");
    engine.remove(&added).await.unwrap();
    assert!(engine.snapshot().servers.is_empty());
    assert!(engine.tools(&added).await.is_err());
    engine.stop().await;
    assert!(requests(&demo).contains(&"POST /revoke 200".to_owned()));
}

#[tokio::test]
async fn a_broken_file_keeps_the_servers() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let rejected = until_event(&engine, |event| matches!(event, Event::ConfigRejected { .. }));
    let (_, ()) = tokio::join!(rejected, async { sandbox.write_config("{ \"mcpServers\": { oops } }") });
    let snapshot = engine.snapshot();
    assert_eq!(snapshot.config.error.unwrap().code, Code::ConfigInvalid);
    assert_eq!(snapshot.config.line, Some(1));
    assert!(is_connected(&engine.server(&id()).unwrap()));
    engine.tools(&id()).await.unwrap();
    let mended = until_event(&engine, |event| matches!(event, Event::ConfigChanged { .. }));
    let (_, ()) = tokio::join!(mended, async { sandbox.configure(&demo) });
    assert_eq!(engine.snapshot().config.error, None);
}

#[tokio::test]
async fn a_change_affects_only_the_changed_entries() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let before = engine.server(&id()).unwrap();
    demo.forget_requests();
    let changed = until_event(&engine, |event| matches!(event, Event::ConfigChanged { .. }));
    let two = config(&[("other", "http://127.0.0.1:9/mcp"), ("demo", demo.url().as_str())]);
    let (_, ()) = tokio::join!(changed, async { sandbox.write_config(&two) });
    let order: Vec<_> = engine.snapshot().servers.into_iter().map(|server| server.id.0).collect();
    assert_eq!(order, ["other", "demo"]);
    assert_eq!(engine.server(&id()).unwrap(), before);
    assert_eq!(requests(&demo), Vec::<String>::new());
}

#[tokio::test]
async fn unsupported_transports_are_reported() {
    let sandbox = Sandbox::new();
    sandbox.write_config(
        r#"{ "mcpServers": {
            "old": { "type": "sse", "url": "https://old.example.com/sse" },
            "off": { "type": "http", "url": "https://off.example.com/mcp", "disabled": true }
        } }"#,
    );
    let engine = sandbox.start().await;
    let seen: Vec<_> = engine
        .snapshot()
        .servers
        .into_iter()
        .map(|server| (server.id.0, server.transport, matches!(server.status, Status::Unsupported { .. })))
        .collect();
    let expected =
        [("old".to_owned(), TransportKind::Sse, true), ("off".to_owned(), TransportKind::Http, false)];
    assert_eq!(seen, expected);
    assert_eq!(engine.server(&ServerId("off".to_owned())).unwrap().status, Status::Disabled);
}

#[tokio::test]
async fn a_disabled_server_reconnects_when_enabled() {
    let (sandbox, _demo, engine) = signed_in(Default::default()).await;
    engine.disable(&id()).await.unwrap();
    assert_eq!(engine.server(&id()).unwrap().status, Status::Disabled);
    assert!(std::fs::read_to_string(sandbox.path("mcp.json")).unwrap().contains("disabled"));
    engine.enable(&id()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    // Both return when the view has changed.
    engine.disconnect(&id()).await.unwrap();
    assert_eq!(engine.server(&id()).unwrap().status, Status::Disabled);
    engine.connect(&id()).await.unwrap();
    assert_eq!(engine.server(&id()).unwrap().status, Status::Connecting);
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_missing_secret_and_a_rejected_header_are_reported() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.write_config(&format!(
        r#"{{ "mcpServers": {{ "demo": {{ "type": "http", "url": "{}",
            "headers": {{ "Authorization": "Bearer {{{{api_token}}}}" }} }} }} }}"#,
        demo.url()
    ));
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), has_failed).await;
    let Status::Failed { error } = view.status else { panic!("not failed") };
    assert_eq!(error.code, Code::ConfigInvalid, "the secret is missing: {error:?}");

    engine.set_secret("api_token", "wrong".into()).await.unwrap();
    let is_rejected = |view: &ServerView| matches!(&view.status, Status::Failed { error } if error.code == Code::SignInRequired);
    let view = until(&engine, &id(), is_rejected).await;
    assert_eq!(view.auth, AuthView::Header);
    let Status::Failed { error } = view.status else { panic!("not failed") };
    assert!(error.hint.unwrap().contains("header"));
    assert_eq!(engine.secrets().await.unwrap(), ["api_token"]);
}
