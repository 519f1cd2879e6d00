//! The text of `mcp.json` that a person edits in the window.

use usher_api::{Code, ConfigChangesView, ConfigSaveView, Event, ServerId};

use crate::fixture::*;

fn entry(name: &str, url: &str) -> String {
    format!("  \"{name}\": {{ \"type\": \"http\", \"url\": \"{url}\", \"disabled\": true }}")
}

fn file(entries: &[String]) -> String {
    format!("{{ \"mcpServers\": {{\n{}\n}} }}\n", entries.join(",\n"))
}

fn on_disk(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("mcp.json")).unwrap()
}

#[tokio::test]
async fn a_saved_text_is_used_at_once_and_summarised() {
    let sandbox = Sandbox::new();
    let (a, b, c) =
        (entry("a", "https://a.example"), entry("b", "https://b.example"), entry("c", "https://c.example"));
    sandbox.write_config(&file(&[a, b.clone(), c]));
    let engine = sandbox.start().await;
    let read = engine.config_text().await.unwrap();
    let mut events = engine.subscribe();
    let new = entry("new", "https://new.example");
    let text =
        file(&[b.replace("b.example", "moved.example"), "  \"c\": { \"type\": \"http\" }".to_owned(), new]);
    let saved = engine.save_config_text(text.clone(), read.version).await.unwrap();

    let ConfigSaveView::Saved { file: saved } = saved else { panic!("{saved:?}") };
    assert_eq!(saved, engine.config_text().await.unwrap());
    assert_eq!(on_disk(&sandbox), text);
    let order: Vec<_> = engine.snapshot().servers.into_iter().map(|server| server.id.0).collect();
    assert_eq!(order, ["b", "c", "new"]);
    let names = |name: &str| vec![name.to_owned()];
    let expected = ConfigChangesView {
        added: names("new"),
        changed: names("b"),
        removed: names("a"),
        failed: names("c"),
    };
    let mut summaries = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::ConfigReloaded { changes, .. } = event {
            summaries.push(changes);
        }
    }
    assert_eq!(summaries, [expected]);
}

#[tokio::test]
async fn a_check_has_lines_and_hints_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let before = file(&[entry("a", "https://a.example")]);
    sandbox.write_config(&before);
    let engine = sandbox.start().await;
    let text = file(&[
        "  \"a\": { \"type\": \"http\" }".to_owned(),
        "  \"b\": { \"type\": \"http\", \"url\": \"https://b.example\", \"headers\": { \"X-Key\": \"k-1\" } }".to_owned(),
    ]);
    let check = engine.check_config_text(text).await.unwrap();
    assert!(check.can_be_saved);
    assert_eq!(check.omitted, 0);
    let [error, warning] = check.problems.as_slice() else { panic!("{check:?}") };
    assert_eq!((error.is_error, error.line, error.column), (true, 2, 3));
    assert_eq!(error.message, "This server has no `url`.");
    assert_eq!(error.hint.as_deref(), Some("Add \"url\": \"https://…\"."));
    assert_eq!((warning.is_error, warning.line), (false, 3));
    assert!(warning.message.contains("a secret in plain text"), "{}", warning.message);

    let broken = engine.check_config_text("{ \"mcpServers\": { oops } }".to_owned()).await.unwrap();
    assert!(!broken.can_be_saved && broken.problems.len() == 1, "{broken:?}");
    assert_eq!(on_disk(&sandbox), before);
    assert!(engine.server(&ServerId("b".to_owned())).is_none());
}

#[tokio::test]
async fn the_problems_of_a_check_have_a_limit() {
    let sandbox = Sandbox::new();
    let engine = sandbox.start().await;
    let entries: Vec<_> = (0..600).map(|number| format!("  \"s{number}\": {{}}")).collect();
    let check = engine.check_config_text(file(&entries)).await.unwrap();
    assert_eq!((check.problems.len(), check.omitted), (500, 100));
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_returned_and_kept() {
    let sandbox = Sandbox::new();
    sandbox.write_config(&file(&[entry("a", "https://a.example")]));
    let engine = sandbox.start().await;
    let read = engine.config_text().await.unwrap();
    let outside = file(&[entry("b", "https://b.example")]);
    sandbox.write_config(&outside);
    let mine = file(&[entry("c", "https://c.example")]);
    let outcome = engine.save_config_text(mine.clone(), read.version).await.unwrap();
    let ConfigSaveView::Changed { file: now } = outcome else { panic!("{outcome:?}") };
    assert_eq!(now.text, outside);
    assert_eq!(on_disk(&sandbox), outside);

    // The person has seen the file as it is now.
    let outcome = engine.save_config_text(mine.clone(), now.version).await.unwrap();
    assert!(matches!(outcome, ConfigSaveView::Saved { .. }), "{outcome:?}");
    assert_eq!(on_disk(&sandbox), mine);
}

#[tokio::test]
async fn a_broken_text_is_refused_and_a_broken_file_is_mended() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let valid = on_disk(&sandbox);
    let read = engine.config_text().await.unwrap();
    let error = engine.save_config_text("{ oops".to_owned(), read.version).await.unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid);
    assert_eq!(on_disk(&sandbox), valid);

    let rejected = until_event(&engine, |event| matches!(event, Event::ConfigRejected { .. }));
    let (_, ()) = tokio::join!(rejected, async { sandbox.write_config("{ oops") });
    let read = engine.config_text().await.unwrap();
    assert_eq!(read.text, "{ oops");
    demo.forget_requests();
    engine.save_config_text(valid, read.version).await.unwrap();
    assert_eq!(engine.snapshot().config.error, None);
    assert!(is_connected(&engine.server(&id()).unwrap()));
    assert_eq!(requests(&demo), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_in_the_file_is_not_in_the_text_and_stays_in_the_file() {
    let sandbox = Sandbox::new();
    let with_key =
        "  \"a\": { \"command\": \"no-such-program\", \"env\": { \"API_KEY\": \"hush-4711\" } }".to_owned();
    sandbox.write_config(&file(&[with_key]));
    let engine = sandbox.start().await;
    let read = engine.config_text().await.unwrap();
    assert!(!read.text.contains("hush-4711"), "{}", read.text);
    let edited = read.text.replace("\"a\"", "\"b\"");
    let outcome = engine.save_config_text(edited, read.version).await.unwrap();
    assert!(!format!("{outcome:?}").contains("hush-4711"), "{outcome:?}");
    assert!(on_disk(&sandbox).contains("\"b\"") && on_disk(&sandbox).contains("hush-4711"));
}
