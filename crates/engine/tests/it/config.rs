//! Changes to `mcp.json`. A file that is not JSON changes nothing, and an entry with an error stops only its server.

use usher_api::{AuthView, Code, Event, NewServer, ServerId, ServerView, Status};

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

fn broken_at(view: &ServerView, line: u32) -> bool {
    let is_invalid = matches!(&view.status, Status::Failed { error } if error.code == Code::ConfigInvalid);
    is_invalid && view.entry_error.is_some_and(|at| at.line == line)
}

/// The entry `demo` without its address, and another server.
fn with_broken_demo(demo: &usher_demo::Demo) -> String {
    format!(
        "{{ \"mcpServers\": {{\n\"demo\": {{ \"type\": \"http\" }},\n\"other\": {{ \"type\": \"http\", \"url\": \"{}\" }} }} }}",
        demo.url()
    )
}

#[tokio::test]
async fn an_entry_with_an_error_stops_only_its_server_and_keeps_its_grant() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let other = ServerId("other".to_owned());
    let changed = until_event(&engine, |event| matches!(event, Event::ConfigChanged { .. }));
    let (_, ()) = tokio::join!(changed, async { sandbox.write_config(&with_broken_demo(&demo)) });
    let snapshot = engine.snapshot();
    assert_eq!(snapshot.config.error, None);
    assert_eq!(snapshot.config.entry_errors, ["line 2, column 1: this server has no `url`"]);
    let view = engine.server(&id()).unwrap();
    assert!(broken_at(&view, 2), "{view:?}");
    let Status::Failed { error } = &view.status else { panic!("not failed") };
    assert_eq!(error.message, "demo has an error in mcp.json, line 2, column 1: this server has no `url`.");
    assert_eq!(error.hint.as_deref(), Some("Add \"url\": \"https://…\"."));
    assert_eq!(snapshot.servers.iter().map(|server| &server.id).collect::<Vec<_>>(), [&id(), &other]);
    until(&engine, &other, needs_sign_in).await;

    // It cannot be used, enabled or disabled, and its grant stays.
    let outcomes = [
        engine.tools(&id()).await.err(),
        call(&engine, "list_notes").await.err(),
        engine.connect(&id()).await.err(),
        engine.sign_in(&id(), Default::default()).await.err(),
        engine.disable(&id()).await.err(),
    ];
    for error in outcomes {
        assert_eq!(error.map(|error| error.code), Some(Code::ConfigInvalid));
    }
    assert_eq!(engine.orphans().await.unwrap(), []);
    engine.stop().await;
    assert!(!requests(&demo).contains(&"POST /revoke 200".to_owned()));

    // The grant also survives a restart, and is used again once the entry is correct.
    let engine = sandbox.start().await;
    assert!(broken_at(&engine.server(&id()).unwrap(), 2));
    sandbox.configure(&demo);
    until(&engine, &id(), is_connected).await;
    assert_eq!(engine.server(&id()).unwrap().entry_error, None);
    assert_eq!(demo.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn servers_are_added_and_removed_beside_an_entry_with_an_error() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.write_config(&with_broken_demo(&demo));
    let engine = sandbox.start().await;
    let server =
        NewServer { url: demo.url().to_string(), name: Some("new".to_owned()), ..NewServer::default() };
    let added = engine.add(server, None).await.unwrap();
    until(&engine, &added, needs_sign_in).await;
    engine.remove(&added).await.unwrap();
    assert!(broken_at(&engine.server(&id()).unwrap(), 2));
    let same_name =
        NewServer { url: demo.url().to_string(), name: Some("demo".to_owned()), ..NewServer::default() };
    assert_eq!(engine.add(same_name, None).await, Ok(ServerId("demo-2".to_owned())));
    // Two entries with one name are one row, and neither is used.
    let twice = "{ \"mcpServers\": { \"demo\": {\"command\": \"a\"},\n\"demo\": {\"command\": \"b\"} } }";
    let changed = until_event(&engine, |event| matches!(event, Event::ConfigChanged { .. }));
    let (_, ()) = tokio::join!(changed, async { sandbox.write_config(twice) });
    let snapshot = engine.snapshot();
    assert_eq!(snapshot.servers.len(), 1, "{:?}", snapshot.servers);
    assert!(broken_at(&snapshot.servers[0], 2));
}

#[tokio::test]
async fn removing_an_entry_with_an_error_signs_out() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let changed = until_event(&engine, |event| matches!(event, Event::ConfigChanged { .. }));
    let (_, ()) = tokio::join!(changed, async { sandbox.write_config(&with_broken_demo(&demo)) });
    engine.remove(&id()).await.unwrap();
    assert_eq!(engine.server(&id()), None);
    assert!(!std::fs::read_to_string(sandbox.path("mcp.json")).unwrap().contains("\"demo\""));
    assert_eq!(engine.orphans().await.unwrap(), []);
    engine.revocations_ended().await;
    assert!(requests(&demo).contains(&"POST /revoke 200".to_owned()));
}

#[tokio::test]
async fn the_title_is_the_name_and_the_note_and_picture_are_in_the_view() {
    let sandbox = Sandbox::new();
    sandbox.write_config(
        r#"{ "mcpServers": { "notion": {
            "type": "http", "url": "https://mcp.notion.com/mcp", "disabled": true,
            "title": "My\u202e notes", "description": "Private", "icon": "📓" } } }"#,
    );
    let engine = sandbox.start().await;
    let view = engine.server(&ServerId("notion".to_owned())).unwrap();
    assert_eq!((view.name.as_str(), view.description.as_deref()), ("My notes", Some("Private")));
    assert_eq!((view.icon.as_deref(), view.catalogue.as_deref()), (Some("📓"), Some("notion")));
    assert!(!view.is_example);
}

#[tokio::test]
async fn a_reload_is_summarised_and_a_change_by_usher_is_not() {
    let sandbox = Sandbox::new();
    let entry = |name: &str, url: &str| {
        format!(r#""{name}": {{ "type": "http", "url": "{url}", "disabled": true }}"#)
    };
    let file = |entries: &[String]| format!("{{ \"mcpServers\": {{ {} }} }}", entries.join(", "));
    let (a, b, c) =
        (entry("a", "https://a.example"), entry("b", "https://b.example"), entry("c", "https://c.example"));
    sandbox.write_config(&file(&[a.clone(), b, c]));
    let engine = sandbox.start().await;
    let mut events = engine.subscribe();
    engine.enable(&ServerId("a".to_owned())).await.unwrap();
    engine.disable(&ServerId("a".to_owned())).await.unwrap();
    let mut changes = Vec::new();
    let broken = r#""c": { "type": "http" }"#.to_owned();
    sandbox.write_config(&file(&[
        entry("new", "https://n.example"),
        entry("b", "https://moved.example"),
        broken,
    ]));
    while changes.is_empty() {
        if let Event::ConfigReloaded { changes: seen, .. } = events.recv().await.unwrap() {
            changes.push(seen);
        }
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = usher_api::ConfigChangesView {
        added: names(&["new"]),
        changed: names(&["b"]),
        removed: names(&["a"]),
        failed: names(&["c"]),
    };
    assert_eq!(changes, [expected]);
}
