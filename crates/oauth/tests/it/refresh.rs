//! Renewing a grant, where it belongs and nowhere else.

use secrecy::SecretString;
use serde_json::{Value, json};
use usher_oauth::{
    AccessToken, AuthMethod, Binding, Endpoint, ErrorKind, Grant, Issuer, RefreshToken, Scopes, Step, refresh,
};

use crate::support::{Answer, Fake, http_for, later, now};
use crate::token::{Held, held};

const TOKEN: &str = "POST /token";

pub fn grant(fake: &Fake) -> Grant {
    Grant {
        access_token: AccessToken::new("old-access"),
        refresh_token: Some(RefreshToken::new("old-refresh")),
        expires_at: Some(now()),
        scopes: Scopes::parse("a b"),
        account: Some("ada@example.com".into()),
        binding: Binding {
            issuer: Issuer::parse(&fake.origin).unwrap(),
            token_endpoint: Endpoint::parse("", &fake.at("/token")).unwrap(),
            revocation_endpoint: Some(Endpoint::parse("", &fake.at("/revoke")).unwrap()),
            client_id: "app".into(),
            auth_method: AuthMethod::None,
            resource: fake.at("/mcp"),
            sends_resource: true,
        },
    }
}

#[tokio::test]
async fn the_request_holds_what_it_must_and_nothing_else() {
    let fake = Fake::start().await;
    fake.on(TOKEN, Answer::json(json!({ "access_token": "new" })));
    refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap();
    let expected = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "old-refresh"),
        ("client_id", "app"),
        ("resource", &fake.at("/mcp")),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(fake.seen(TOKEN)[0].form(), expected);
    assert_eq!(fake.lines(), [TOKEN], "no discovery");
}

#[tokio::test]
async fn what_does_not_come_back_stays() {
    let kept = || Held {
        access_token: "new".into(),
        refresh_token: Some("old-refresh".into()),
        expires_at: None,
        scopes: "a b".into(),
        account: Some("ada@example.com".into()),
    };
    let table: [(Value, Held); 5] = [
        (json!({ "access_token": "new" }), kept()),
        (json!({ "access_token": "new", "refresh_token": "" }), kept()),
        (
            json!({ "access_token": "new", "refresh_token": "next", "expires_in": "5" }),
            Held { refresh_token: Some("next".into()), expires_at: Some(later(5)), ..kept() },
        ),
        (json!({ "access_token": "new", "scope": ["a"] }), Held { scopes: "a".into(), ..kept() }),
        (
            json!({ "access_token": "new", "id_token": crate::token::id_token(json!({ "name": "Ada" })) }),
            Held { account: Some("Ada".into()), ..kept() },
        ),
    ];
    for (answer, expected) in table {
        let fake = Fake::start().await;
        fake.on(TOKEN, Answer::json(answer));
        let before = grant(&fake);
        let renewed = refresh(&http_for(&fake).await, &before, None, now()).await.unwrap();
        assert_eq!(held(&renewed), expected);
        assert_eq!(renewed.binding, before.binding);
    }
}

#[tokio::test]
async fn only_invalid_grant_in_json_ends_it() {
    let invalid_grant = json!({ "error": "invalid_grant" });
    let answers = [
        (Answer::refusal(400, invalid_grant.clone()), true),
        (Answer::refusal(401, invalid_grant.clone()), true),
        (Answer::refusal(403, invalid_grant.clone()), false),
        (Answer::refusal(200, invalid_grant.clone()), false),
        (Answer::refusal(500, invalid_grant.clone()), false),
        (Answer::refusal(503, invalid_grant), false),
        (Answer::new(400, "text/html", "<p>invalid_grant"), false),
        (Answer::new(400, "text/plain", "error=invalid_grant"), false),
        (Answer::refusal(401, json!({ "error": "invalid_client" })), false),
        (Answer::refusal(400, json!({ "error": "invalid_request" })), false),
        (Answer::redirect(302, "http://portal.example"), false),
        (Answer::new(200, "text/html", "<p>portal"), false),
    ];
    for (answer, ends) in answers {
        let fake = Fake::start().await;
        let case = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
        fake.on(TOKEN, answer);
        let error = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err().error;
        assert_eq!((error.step, error.is_terminal_for_grant()), (Step::Refresh, ends), "{case}");
        assert_eq!(error.is_registration_lost(), case.contains("invalid_client"), "{case}");
    }
    let fake = Fake::start().await;
    let http = http_for(&fake).await;
    let mut elsewhere = grant(&fake);
    elsewhere.binding.token_endpoint = Endpoint::parse("", "http://127.0.0.1:1/token").unwrap();
    let error = refresh(&http, &elsewhere, None, now()).await.unwrap_err().error;
    assert!(matches!(error.kind, ErrorKind::Unreachable { .. }) && error.is_transient());
    assert!(!error.leaves_open(), "nothing was sent");
}

#[tokio::test]
async fn the_token_never_follows_a_redirect_away() {
    let (fake, canary) = (Fake::start().await, Fake::start().await);
    for status in [301, 302, 303, 307, 308] {
        fake.on(TOKEN, Answer::redirect(status, &canary.at("/token")));
        let error = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err().error;
        assert_eq!(error.kind, ErrorKind::Transient { status, retry_after: None });
    }
    assert!(canary.lines().is_empty());
}

#[tokio::test]
async fn secrets_are_needed_where_the_method_needs_them() {
    let fake = Fake::start().await;
    fake.on(TOKEN, Answer::json(json!({ "access_token": "new" })));
    let http = http_for(&fake).await;
    let secret = SecretString::from("s");
    for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost] {
        let mut grant = grant(&fake);
        grant.binding.auth_method = method;
        let error = refresh(&http, &grant, None, now()).await.unwrap_err().error;
        assert_eq!(error.kind, ErrorKind::ClientSecretMissing);
        refresh(&http, &grant, Some(&secret), now()).await.unwrap();
    }
    // A public client keeps a secret that it has for something else to itself.
    refresh(&http, &grant(&fake), Some(&secret), now()).await.unwrap();
    let [basic, post, none] = &fake.seen(TOKEN)[..] else { panic!("three requests") };
    assert!(basic.headers.contains_key("authorization") && !basic.form().contains_key("client_secret"));
    assert_eq!(post.form()["client_secret"], "s");
    assert!(!none.headers.contains_key("authorization") && !none.form().contains_key("client_secret"));
}

#[tokio::test]
async fn without_a_refresh_token_nothing_is_sent() {
    let fake = Fake::start().await;
    let lone = Grant { refresh_token: None, ..grant(&fake) };
    let error = refresh(&http_for(&fake).await, &lone, None, now()).await.unwrap_err().error;
    assert_eq!(error.kind, ErrorKind::NoRefreshToken);
    assert!(fake.lines().is_empty());
}

#[tokio::test]
async fn a_refused_resource_is_left_out_once_and_remembered() {
    let fake = Fake::start().await;
    let refusal = Answer::refusal(400, json!({ "error": "invalid_target" }));
    fake.on_each(TOKEN, [refusal, Answer::json(json!({ "access_token": "new" }))]);
    let http = http_for(&fake).await;
    let renewed = refresh(&http, &grant(&fake), None, now()).await.unwrap();
    refresh(&http, &renewed, None, now()).await.unwrap();
    let sent: Vec<bool> = fake.seen(TOKEN).iter().map(|seen| seen.form().contains_key("resource")).collect();
    assert_eq!(sent, [true, false, false]);
}

#[tokio::test]
async fn a_rotated_token_outlives_a_type_that_is_refused() {
    for (answer, expected) in [
        (json!({ "access_token": "t", "token_type": "DPoP", "refresh_token": "next" }), Some("next")),
        (json!({ "access_token": "t", "token_type": "DPoP", "refresh_token": "" }), None),
        (json!({ "access_token": "t", "token_type": "DPoP" }), None),
    ] {
        let fake = Fake::start().await;
        fake.on(TOKEN, Answer::json(answer));
        let refused = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err();
        assert_eq!(refused.error.kind, ErrorKind::TokenTypeUnknown("DPoP".into()));
        assert_eq!(refused.rotated.as_ref().map(RefreshToken::expose), expected);
        assert!(!refused.error.is_terminal_for_grant() && !refused.error.leaves_open());
        assert!(!format!("{refused:?} {refused}").contains("next"));
    }
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_told_from_what_was_not() {
    let answers = [
        (Answer::new(502, "text/plain", ""), true),
        (Answer::new(408, "text/plain", ""), true),
        (Answer::new(200, "text/html", "<p>portal"), true),
        (Answer::new(200, "application/json", "{\"access_token\":"), true),
        (Answer::new(429, "text/plain", ""), false),
        (Answer::redirect(302, "http://portal.example"), false),
        (Answer::refusal(400, json!({ "error": "invalid_grant" })), false),
        (Answer::refusal(400, json!({ "error": "invalid_request" })), false),
    ];
    for (answer, open) in answers {
        let fake = Fake::start().await;
        let case = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
        fake.on(TOKEN, answer);
        let error = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err().error;
        assert_eq!(error.leaves_open(), open, "{case}");
    }
    // A listener that takes the request and hangs up.
    let fake = Fake::start().await;
    let http = http_for(&fake).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut cut = grant(&fake);
    let endpoint = format!("http://{}/token", listener.local_addr().unwrap());
    cut.binding.token_endpoint = Endpoint::parse("", &endpoint).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await;
        }
    });
    let error = refresh(&http, &cut, None, now()).await.unwrap_err().error;
    assert!(matches!(error.kind, ErrorKind::BrokenOff { .. }), "{error}");
    assert!(error.leaves_open() && error.is_transient());
}
