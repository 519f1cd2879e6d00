//! The authorization request: scopes, PKCE, resource, and no other parameters.

use std::collections::BTreeMap;

use serde_json::json;
use usher_oauth::{ClientSettings, Discovered, ErrorKind, PendingAuthorization, Prompt, RedirectUri, Scopes};

use crate::support::*;

#[tokio::test]
async fn the_request_contains_exactly_the_specified_parameters() {
    let fake = Fake::start().await;
    fake.serve_changed_metadata(json!({ "authorization_endpoint": fake.at("/authorize?tenant=7") }));
    let pending = pending(&fake).await;
    let url = pending.authorization_url();
    assert!(url.as_str().starts_with(&fake.at("/authorize?tenant=7&response_type=code&")), "{url}");
    let mut parameters: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(url.query_pairs().count(), parameters.len(), "no parameter is repeated");
    assert_eq!(parameters.remove("code_challenge").unwrap().len(), 43);
    assert_eq!(parameters.remove("state").as_deref(), Some(pending.state()));
    assert_eq!(pending.state().len(), 43, "32 random bytes");
    let expected = [
        ("client_id", "app"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "dev.usher.desktop:/oauth/callback"),
        ("resource", &fake.at("/mcp")),
        ("response_type", "code"),
        ("tenant", "7"),
    ];
    assert_eq!(parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(pending.expires_at(), now_plus(600));
    assert_eq!(pending.host(), "127.0.0.1");
}

#[tokio::test]
async fn no_two_requests_are_alike() {
    let fake = Fake::start_with_metadata().await;
    let (one, other) = (pending(&fake).await, pending(&fake).await);
    assert_ne!(one.state(), other.state());
    assert_ne!(parameter(&one, "code_challenge"), parameter(&other, "code_challenge"));
}

async fn pending_with_scopes(
    resource: serde_json::Value,
    server: serde_json::Value,
    challenged: Option<&str>,
    settings: ClientSettings,
    extra: Option<&str>,
) -> PendingAuthorization {
    let fake = Fake::start_with_changed_metadata(json!({ "scopes_supported": server })).await;
    fake.serve_changed_resource_metadata(json!({ "scopes_supported": resource }));
    fake.on(REGISTER, Response::json(json!({ "client_id": "app" })));
    let challenge = challenged.map(|scope| challenge(&format!("Bearer scope=\"{scope}\"")));
    let found = discover_with(&fake, challenge.as_ref(), &settings).await.unwrap();
    let registered = register_at(&fake, found, &settings, None).await;
    registered.authorize(&extra.map(Scopes::parse).unwrap_or_default(), now()).unwrap()
}

#[tokio::test]
async fn scopes_are_chosen_in_order() {
    let none = || json!(null);
    // (resource, server, challenge, settings, granted before, expected)
    let table = [
        (none(), none(), None, None, None, None),
        (none(), json!(["a", "b"]), None, None, None, None),
        (json!(["r1", "r2"]), json!(["a"]), None, None, None, Some("r1 r2")),
        (json!(["r1"]), none(), Some("c1 c2"), None, None, Some("c1 c2")),
        (json!(["r1"]), none(), Some(""), None, None, Some("r1")),
        (json!([]), none(), None, None, None, None),
        (json!(["r1"]), none(), Some("c1"), Some("s1"), None, Some("s1")),
        // A step-up: the scopes granted before and those of the challenge, without duplicates.
        (json!(["r1"]), none(), Some("c1 g1"), None, Some("g1 g2"), Some("c1 g1 g2")),
        (none(), none(), None, None, Some("g1"), Some("g1")),
        // `offline_access` is requested only if the authorization server lists it, and never alone.
        (json!(["r1"]), json!(["r1", "offline_access"]), None, None, None, Some("r1 offline_access")),
        (none(), json!(["offline_access"]), None, None, None, None),
        (none(), json!(["offline_access"]), None, None, Some("g1"), Some("g1 offline_access")),
        (json!(["r1"]), json!(["offline_access"]), Some("c1"), None, None, Some("c1 offline_access")),
        (json!(["r1"]), json!(["offline_access"]), None, Some("s1"), None, Some("s1 offline_access")),
    ];
    for (resource, server, challenged, configured, before, expected) in table {
        let case = format!("{resource} {server} {challenged:?} {configured:?} {before:?}");
        let settings = ClientSettings { scopes: configured.map(Scopes::parse), ..Default::default() };
        let pending = pending_with_scopes(resource, server, challenged, settings, before).await;
        assert_eq!(parameter(&pending, "scope").as_deref(), expected, "{case}");
        // OpenID Connect Core §11: offline access requires consent.
        let needs_consent = expected.is_some_and(|scopes| scopes.contains("offline_access"));
        assert_eq!(parameter(&pending, "prompt").as_deref(), needs_consent.then_some("consent"), "{case}");
        assert_eq!(pending.scopes(), &Scopes::parse(expected.unwrap_or_default()));
    }
}

#[tokio::test]
async fn a_configured_prompt_replaces_the_automatic_one() {
    let table = [
        (Prompt::Automatic, false, Some("consent"), true),
        (Prompt::Automatic, true, None, false),
        (Prompt::Omitted, false, None, false),
        (Prompt::Value("login".into()), false, Some("login"), false),
        (Prompt::Value("select_account consent".into()), true, Some("select_account consent"), false),
    ];
    for (prompt, rejects_prompt, expected, is_added) in table {
        let fake = Fake::start_with_changed_metadata(json!({ "scopes_supported": ["offline_access"] })).await;
        fake.on(REGISTER, Response::json(json!({ "client_id": "app" })));
        let settings = ClientSettings { scopes: Some(Scopes::parse("s1")), prompt, ..Default::default() };
        let mut found = discover_with(&fake, None, &settings).await.unwrap();
        found.quirks.rejects_prompt = rejects_prompt;
        let registered = register_at(&fake, found, &settings, None).await;
        let pending = registered.authorize(&Scopes::default(), now()).unwrap();
        assert_eq!(parameter(&pending, "prompt").as_deref(), expected, "{settings:?}");
        let restored = PendingAuthorization::from_secret(&pending.to_secret()).unwrap();
        assert_eq!((pending.adds_prompt(), restored.adds_prompt()), (is_added, is_added), "{settings:?}");
    }
}

#[tokio::test]
async fn stored_metadata_is_used_with_the_scopes_of_a_new_challenge() {
    let (fake, settings) = (Fake::start_with_metadata().await, ClientSettings::default());
    let found = discover_with(&fake, Some(&challenge("Bearer scope=old")), &settings).await.unwrap();
    fake.forget_requests();
    let found = found.with_challenge(Some(&challenge("Bearer scope=\"new more\"")), &settings);
    assert_eq!(found.scopes, Scopes::parse("new more"));
    assert_eq!(found.with_challenge(None, &settings).scopes, Scopes::default());
    assert!(fake.request_lines().is_empty());
}

#[tokio::test]
async fn a_configured_audience_is_sent() {
    let settings = ClientSettings { audience: Some("https://api.example".into()), ..Default::default() };
    let pending = pending_with_scopes(json!(null), json!(null), None, settings, None).await;
    assert_eq!(parameter(&pending, "audience").as_deref(), Some("https://api.example"));
}

#[tokio::test]
async fn an_audience_in_the_endpoint_conflicts_with_a_configured_audience() {
    for (configured, is_rejected) in [(Some("https://api.example"), true), (None, false)] {
        let fake = Fake::start_with_response(REGISTER, Response::json(json!({ "client_id": "app" }))).await;
        let endpoint = fake.at("/authorize?audience=theirs");
        fake.serve_changed_metadata(json!({ "authorization_endpoint": endpoint }));
        let settings = ClientSettings { audience: configured.map(str::to_owned), ..Default::default() };
        let registered = register_with(&fake, &settings, &RedirectUri::custom_scheme()).await.unwrap();
        match registered.authorize(&Scopes::default(), now()) {
            Ok(pending) => {
                assert_eq!((is_rejected, parameter(&pending, "audience").as_deref()), (false, Some("theirs")))
            }
            Err(error) => {
                assert_eq!((is_rejected, error.kind), (true, ErrorKind::ReservedParameter("audience".into())))
            }
        }
    }
}

#[tokio::test]
async fn the_resource_can_be_omitted() {
    let fake = Fake::start_with_response(REGISTER, Response::json(json!({ "client_id": "app" }))).await;
    let found = Discovered { sends_resource: false, ..discovered(&fake).await };
    let registered = register_at(&fake, found, &ClientSettings::default(), None).await;
    assert_eq!(parameter(&registered.authorize(&Scopes::default(), now()).unwrap(), "resource"), None);
}

#[tokio::test]
async fn each_redirect_is_registered_and_requested() {
    let fake = Fake::start_with_metadata().await;
    registered(&fake).await;
    for redirect in
        [RedirectUri::custom_scheme(), RedirectUri::custom_scheme_with_host(), RedirectUri::loopback(4711)]
    {
        let registered = register_with(&fake, &ClientSettings::default(), &redirect).await.unwrap();
        let pending = registered.authorize(&Scopes::default(), now()).unwrap();
        assert_eq!(parameter(&pending, "redirect_uri").as_deref(), Some(redirect.as_str()));
        let request = fake.requests_to(REGISTER).pop().unwrap().json();
        assert_eq!(request["redirect_uris"], json!([redirect.as_str()]));
    }
}
