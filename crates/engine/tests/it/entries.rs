//! Entries that a person adds and edits.

use secrecy::SecretString;
use usher_api::{
    AuthView, Code, EntryCheckView, EntryDraftView, EntrySecretState, EntrySignIn, NewProgram, NewServer,
    ServerId, ServerView, TransportKind, Want,
};
use usher_demo::Demo;
use usher_engine::{Engine, EntryInput, SecretPlace, allowed_origins};

use crate::fixture::*;

fn input(entry: &str) -> EntryInput {
    EntryInput { name: None, entry: entry.to_owned(), secrets: Vec::new(), approved: None }
}

fn named(name: &str) -> ServerId {
    ServerId(name.to_owned())
}

fn key_header(value: &str) -> (SecretPlace, SecretString) {
    (SecretPlace::Setting(vec!["headers".to_owned(), "X-Team".to_owned()]), value.into())
}

async fn drafted(engine: &Engine, text: &str) -> EntryDraftView {
    accepted(engine.check_new(text, 0, None).await.unwrap())
}

fn accepted(check: EntryCheckView) -> EntryDraftView {
    check.draft.unwrap_or_else(|| panic!("{:?}", check.problems))
}

fn file(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("mcp.json")).unwrap()
}

fn account(view: &ServerView) -> Option<String> {
    match &view.auth {
        AuthView::OAuth { account, signed_in: true, .. } => account.clone(),
        AuthView::OAuth { .. } | AuthView::Unknown | AuthView::None | AuthView::Header => None,
    }
}

#[tokio::test]
async fn a_check_tells_what_a_text_becomes_and_writes_nothing() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let before = file(&sandbox);
    let notion = drafted(&engine, "mcp.notion.com/mcp").await;
    assert_eq!((notion.id.0.as_str(), notion.name.as_str()), ("notion", "Notion"));
    assert_eq!(notion.catalogue.as_deref(), Some("notion"));
    assert_eq!((notion.transport, notion.sign_in), (TransportKind::Http, EntrySignIn::OAuth));
    assert!(notion.same_address.is_empty() && notion.secrets.is_empty());

    let same = drafted(&engine, demo.url().as_str()).await;
    let [other] = same.same_address.as_slice() else { panic!("{:?}", same.same_address) };
    assert_eq!(other.server, id());
    assert_eq!(other.account, account(&engine.server(&id()).unwrap()));
    assert!(other.account.is_some());

    let program = drafted(&engine, "npx -y @scope/server-notes --key={{notes_key}}").await;
    assert_eq!((program.id.0.as_str(), program.sign_in), ("notes", EntrySignIn::None));
    assert_eq!(program.launch.unwrap().placeholders, ["{{notes_key}}"]);
    assert_eq!(program.secrets[0].state, EntrySecretState::Missing);
    engine.set_secret("notes_key", "k".into()).await.unwrap();
    let program = drafted(&engine, "npx -y @scope/server-notes --key={{notes_key}}").await;
    assert_eq!(program.secrets[0].state, EntrySecretState::Stored);

    let json = r#"{ "mcpServers": {
        "a": { "command": "x" },
        "demo": { "url": "https://mcp.example.com", "headers": { "Authorization": "Bearer plain" } } } }"#;
    let check = engine.check_new(json, 1, None).await.unwrap();
    assert_eq!(check.choices, ["a", "demo"]);
    let header = accepted(check);
    assert_eq!((header.id.0.as_str(), header.sign_in), ("demo-2", EntrySignIn::Header));
    assert_eq!(header.secrets[0].state, EntrySecretState::Entered);

    let rejected = engine.check_new("notaurl", 0, None).await.unwrap();
    assert!(rejected.draft.is_none() && rejected.problems[0].is_error && rejected.problems[0].hint.is_some());
    assert_eq!(file(&sandbox), before);
}

#[tokio::test]
async fn secrets_of_a_new_entry_go_to_the_store_and_are_bound_to_its_origin() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let engine = sandbox.start().await;
    let entry = format!(
        r#"{{ "url": "{}", "headers": {{ "X-Api-Key": "k-hush", "X-Old": "{{{{own}}}}" }} }}"#,
        demo.url()
    );
    let secrets = vec![key_header("t-hush"), (SecretPlace::Name("own".to_owned()), "o-hush".into())];
    let id = engine.add_entry(EntryInput { secrets, ..input(&entry) }).await.unwrap();
    until(&engine, &id, needs_sign_in).await;
    let text = file(&sandbox);
    assert!(!text.contains("hush"), "{text}");
    let mut names = engine.secrets().await.unwrap();
    names.sort();
    assert_eq!(names, ["own", "server_header_x-api-key", "server_header_x-team"]);
    let allowed = allowed_origins(&sandbox.path("state")).unwrap();
    assert_eq!(allowed.len(), 3);
    assert!(allowed.values().all(|origins| origins == &[demo.issuer().to_owned()]), "{allowed:?}");

    let unused = vec![(SecretPlace::Name("other".to_owned()), SecretString::from("x"))];
    let refused = engine.add_entry(EntryInput { secrets: unused, ..input(&entry) }).await.unwrap_err();
    assert_eq!(refused.code, Code::ConfigInvalid);
    assert!(!engine.secrets().await.unwrap().contains(&"other".to_owned()));
    assert_eq!(file(&sandbox), text);
}

#[tokio::test]
async fn a_new_entry_never_replaces_the_secret_of_another() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let engine = sandbox.start().await;
    let entry =
        format!(r#"{{ "url": "{}", "headers": {{ "X-Team": "{{{{b_header_x-team}}}}" }} }}"#, demo.url());
    let first = EntryInput {
        name: Some("a".to_owned()),
        secrets: vec![(SecretPlace::Name("b_header_x-team".to_owned()), "first".into())],
        ..input(&entry)
    };
    engine.add_entry(first).await.unwrap();
    let second = EntryInput {
        name: Some("b".to_owned()),
        secrets: vec![key_header("second")],
        ..input(&format!(r#"{{ "url": "{}" }}"#, demo.url()))
    };
    engine.add_entry(second).await.unwrap();
    assert!(file(&sandbox).contains("{{b_header_x-team-2}}"), "{}", file(&sandbox));
}

#[tokio::test]
async fn a_program_that_the_person_saw_is_approved_when_it_is_added() {
    let sandbox = Sandbox::new();
    let engine = sandbox.start().await;
    let waits = |view: &ServerView| view.wants == Some(Want::Approve);
    let program = NewProgram { command: "usher-no-such-program".to_owned(), ..NewProgram::default() };
    let unseen =
        NewServer { program: Some(program), title: Some("Notes".to_owned()), ..NewServer::default() };
    let unseen = engine.add(unseen, None).await.unwrap();
    assert_eq!(until(&engine, &unseen, waits).await.name, "Notes");

    let draft = drafted(&engine, "usher-no-such-program --all").await;
    let approved = draft.launch.map(|launch| launch.digest);
    let seen = engine.add_entry(EntryInput { approved, ..input(&draft.entry) }).await.unwrap();
    let view = until(&engine, &seen, has_failed).await;
    assert_ne!(view.wants, Some(Want::Approve));
    assert!(view.program.unwrap().is_approved);

    // A changed program needs another approval.
    let entry = engine.entry(&seen).await.unwrap();
    let changed = input(&entry.text.replace("--all", "--none"));
    engine.replace_entry(&seen, &entry.version, changed).await.unwrap();
    until(&engine, &seen, waits).await;
}

#[tokio::test]
async fn a_changed_kind_of_sign_in_deletes_the_old_grant_and_secrets() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let entry = engine.entry(&id()).await.unwrap();
    assert!(!accepted(entry.check).removes.grant);
    let with_key = format!(
        r#"{{ "type": "http", "url": "{}", "headers": {{ "Authorization": "{{{{key}}}}" }} }}"#,
        demo.url()
    );
    let check = accepted(engine.check_replacement(&id(), &with_key).await.unwrap());
    assert!(check.removes.grant && check.removes.secrets.is_empty());
    assert!(is_connected(&engine.server(&id()).unwrap()));
    let secrets = vec![(SecretPlace::Name("key".to_owned()), SecretString::from("Bearer wrong"))];
    engine.replace_entry(&id(), &entry.version, EntryInput { secrets, ..input(&with_key) }).await.unwrap();
    let view = until(&engine, &id(), |view| view.auth == AuthView::Header).await;
    assert_eq!(account(&view), None);
    assert_eq!(engine.secrets().await.unwrap(), ["key"]);
    engine.revocations_ended().await;
    assert!(requests(&demo).contains(&"POST /revoke 200".to_owned()));

    let outdated = engine.replace_entry(&id(), &entry.version, input(&with_key)).await.unwrap_err();
    assert_eq!(outdated.code, Code::ConfigInvalid);
    let entry = engine.entry(&id()).await.unwrap();
    let without = format!(r#"{{ "type": "http", "url": "{}" }}"#, demo.url());
    let check = accepted(engine.check_replacement(&id(), &without).await.unwrap());
    assert_eq!(check.removes.secrets, ["key"]);
    engine.replace_entry(&id(), &entry.version, input(&without)).await.unwrap();
    assert!(engine.secrets().await.unwrap().is_empty());
    until(&engine, &id(), needs_sign_in).await;
    let text = file(&sandbox);
    assert!(!text.contains("wrong"), "{text}");
}

#[tokio::test]
async fn a_secret_that_an_entry_with_an_error_may_use_is_kept() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let headers = r#""headers": { "X-Team": "{{team}}" }"#;
    // The second entry has no address.
    let file = format!(
        r#"{{ "mcpServers": {{ "demo": {{ "url": "{}", {headers} }}, "other": {{ {headers} }} }} }}"#,
        demo.url()
    );
    sandbox.write_config(&file);
    let engine = sandbox.start().await;
    let without = format!(r#"{{ "url": "{}" }}"#, demo.url());
    let check = accepted(engine.check_replacement(&id(), &without).await.unwrap());
    assert!(check.removes.secrets.is_empty(), "{:?}", check.removes);
}

async fn two_accounts() -> (Sandbox, Demo, Engine, ServerId) {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let second = drafted(&engine, demo.url().as_str()).await;
    let input = EntryInput { name: Some("demo".to_owned()), ..input(&second.entry) };
    let second = engine.add_entry(input).await.unwrap();
    assert_eq!(second, named("demo-2"));
    until(&engine, &second, needs_sign_in).await;
    sign_in(&engine, &second).await.unwrap();
    (sandbox, demo, engine, second)
}

#[tokio::test]
async fn signing_out_of_one_account_leaves_the_other() {
    let (_sandbox, demo, engine, second) = two_accounts().await;
    let before = engine.server(&id()).unwrap();
    engine.sign_out(&second).await.unwrap();
    engine.revocations_ended().await;
    assert_eq!(account(&engine.server(&second).unwrap()), None);
    demo.forget_requests();
    engine.tools(&id()).await.unwrap();
    assert_eq!(engine.server(&id()).unwrap(), before);
    assert!(!requests(&demo).iter().any(|request| request.ends_with("401")), "{:?}", requests(&demo));
}

#[tokio::test]
async fn forgetting_one_account_leaves_the_client_of_the_other() {
    let (_sandbox, demo, engine, second) = two_accounts().await;
    let before = engine.server(&id()).unwrap();
    engine.forget(&second).unwrap();
    until_true(|| engine.server(&id()).unwrap() == before).await;
    demo.forget_requests();
    // The next sign-in of the second account registers a client of its own.
    engine.sign_out(&second).await.unwrap();
    sign_in(&engine, &second).await.unwrap();
    assert!(requests(&demo).contains(&"POST /register 201".to_owned()), "{:?}", requests(&demo));
    let after = engine.server(&id()).unwrap();
    assert_eq!((after.auth, after.status), (before.auth, before.status));
    // The first account keeps its client for its next sign-in.
    demo.forget_requests();
    engine.sign_out(&id()).await.unwrap();
    sign_in(&engine, &id()).await.unwrap();
    assert!(!requests(&demo).contains(&"POST /register 201".to_owned()), "{:?}", requests(&demo));
}

#[tokio::test]
async fn a_changed_field_keeps_the_comments_in_the_file() {
    let sandbox = Sandbox::new();
    let text = "{ \"mcpServers\": { \"demo\": {\n  // Ours.\n  \"command\": \"usher-no-such-program\", // mine\n  \"args\": [] // none\n} } }";
    sandbox.write_config(text);
    let engine = sandbox.start().await;
    let entry = engine.entry(&id()).await.unwrap();
    let changed = r#"{ "command": "usher-no-such-program", "args": ["--all"] }"#;
    let merged = engine.merge_entry(&entry.text, changed).await.unwrap();
    engine.replace_entry(&id(), &entry.version, input(&merged)).await.unwrap();
    assert_eq!(file(&sandbox), text.replace("[]", "[\"--all\"]"));
    let error = engine.merge_entry("{", changed).await.unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid);
}

#[tokio::test]
async fn pasted_json_keeps_its_comments_and_loses_its_secret() {
    let sandbox = Sandbox::new();
    sandbox.write_config("{}");
    let engine = sandbox.start().await;
    let pasted = r#"{ "mcpServers": { "notes": {
  // Ours.
  "cmd": "usher-no-such-program", // mine
  "_comment": "Ask Ada.",
  "args": [] /* none */,
  "envs": { "API_KEY": "k-\u0031" } // rotated
} } }"#;
    let draft = drafted(&engine, pasted).await;
    let changed = draft.entry.replace("\"args\": []", "\"args\": [\"--all\"]");
    assert_ne!(changed, draft.entry);
    let merged = engine.merge_entry(&draft.commented, &changed).await.unwrap();
    let name = Some(draft.id.0);
    assert_eq!(engine.add_entry(EntryInput { name, ..input(&merged) }).await, Ok(named("notes")));
    let kept = r#"    "notes": {
      // Ours.
      "command": "usher-no-such-program", // mine
      "_comment": "Ask Ada.",
      "args": ["--all"] /* none */,
      "env": { "API_KEY": "{{notes_env_API_5f_KEY}}" } // rotated
    }
"#;
    assert!(file(&sandbox).contains(kept), "{}", file(&sandbox));
}
