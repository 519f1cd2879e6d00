//! Refreshing a grant, only at the token endpoint that it is bound to.

use secrecy::SecretString;
use serde_json::{Value, json};
use usher_oauth::{
    AccessToken, AuthMethod, Endpoint, ErrorKind, Grant, GrantBinding, Issuer, RefreshToken, Scopes, Step,
    refresh,
};

use crate::support::*;
use crate::token::{GrantFields, fields, id_token};

pub fn grant(fake: &Fake) -> Grant {
    Grant {
        access_token: AccessToken::new("old-access"),
        refresh_token: Some(RefreshToken::new("old-refresh")),
        expires_at: Some(now()),
        scopes: Scopes::parse("a b"),
        account: Some("ada@example.com".into()),
        binding: GrantBinding {
            issuer: Issuer::parse(&fake.origin).unwrap(),
            token_endpoint: Endpoint::parse("", &fake.at("/token")).unwrap(),
            revocation_endpoint: Some(Endpoint::parse("", &fake.at("/revoke")).unwrap()),
            client_id: "app".into(),
            auth_method: AuthMethod::None,
            resource: fake.at("/mcp"),
            sends_resource: true,
            sends_scope: false,
            has_configured_endpoints: false,
            sends_proof: false,
        },
        dpop: None,
    }
}

#[tokio::test]
async fn the_request_contains_exactly_the_required_parameters() {
    let fake = Fake::start_with_response(TOKEN, Response::json(json!({ "access_token": "new" }))).await;
    refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap();
    let expected = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "old-refresh"),
        ("client_id", "app"),
        ("resource", &fake.at("/mcp")),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(fake.requests_to(TOKEN)[0].form(), expected);
    assert_eq!(fake.request_lines(), [TOKEN], "no discovery");
}

#[tokio::test]
async fn fields_that_the_response_omits_are_kept() {
    let kept = || GrantFields {
        access_token: "new".into(),
        refresh_token: Some("old-refresh".into()),
        expires_at: None,
        scopes: "a b".into(),
        account: Some("ada@example.com".into()),
    };
    let table: [(Value, GrantFields); 5] = [
        (json!({ "access_token": "new" }), kept()),
        (json!({ "access_token": "new", "refresh_token": "" }), kept()),
        (
            json!({ "access_token": "new", "refresh_token": "next", "expires_in": "5" }),
            GrantFields { refresh_token: Some("next".into()), expires_at: Some(now_plus(5)), ..kept() },
        ),
        (json!({ "access_token": "new", "scope": ["a"] }), GrantFields { scopes: "a".into(), ..kept() }),
        (
            json!({ "access_token": "new", "id_token": id_token(json!({ "name": "Ada" })) }),
            GrantFields { account: Some("Ada".into()), ..kept() },
        ),
    ];
    for (response, expected) in table {
        let fake = Fake::start_with_response(TOKEN, Response::json(response)).await;
        let before = grant(&fake);
        let refreshed = refresh(&http_for(&fake).await, &before, None, now()).await.unwrap();
        assert_eq!(fields(&refreshed), expected);
        assert_eq!(refreshed.binding, before.binding);
    }
}

#[tokio::test]
async fn only_invalid_grant_in_json_ends_the_grant() {
    let invalid_grant = json!({ "error": "invalid_grant" });
    let responses = [
        (Response::json_with(400, invalid_grant.clone()), true),
        (Response::json_with(401, invalid_grant.clone()), true),
        (Response::json_with(403, invalid_grant.clone()), false),
        (Response::json_with(200, invalid_grant.clone()), false),
        (Response::json_with(500, invalid_grant.clone()), false),
        (Response::json_with(503, invalid_grant), false),
        (Response::new(400, "text/html", "<p>invalid_grant"), false),
        (Response::new(400, "text/plain", "error=invalid_grant"), false),
        (Response::json_with(401, json!({ "error": "invalid_client" })), false),
        (Response::json_with(400, json!({ "error": "invalid_request" })), false),
        (Response::redirect(302, "http://portal.example"), false),
        (Response::new(200, "text/html", "<p>portal"), false),
    ];
    for (response, ends) in responses {
        let case = format!("{} {}", response.status, String::from_utf8_lossy(&response.body));
        let fake = Fake::start_with_response(TOKEN, response).await;
        let error = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err().error;
        assert_eq!((error.step, error.is_terminal_for_grant()), (Step::Refresh, ends), "{case}");
        assert_eq!(error.is_registration_lost(), case.contains("invalid_client"), "{case}");
    }
    let fake = Fake::start().await;
    let http = http_for(&fake).await;
    let mut unreachable = grant(&fake);
    unreachable.binding.token_endpoint = Endpoint::parse("", "http://127.0.0.1:1/token").unwrap();
    let error = refresh(&http, &unreachable, None, now()).await.unwrap_err().error;
    assert!(matches!(error.kind, ErrorKind::Unreachable { .. }) && error.is_transient());
    assert!(!error.is_outcome_unknown(), "nothing was sent");
}

#[tokio::test]
async fn the_refresh_token_never_follows_a_redirect_to_another_origin() {
    let (fake, canary) = (Fake::start().await, Fake::start().await);
    for status in [301, 302, 303, 307, 308] {
        fake.on(TOKEN, Response::redirect(status, &canary.at("/token")));
        let error = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err().error;
        assert_eq!(error.kind, ErrorKind::Transient { status, retry_after: None });
    }
    assert!(canary.request_lines().is_empty());
}

#[tokio::test]
async fn the_auth_method_decides_whether_a_client_secret_is_needed() {
    let fake = Fake::start_with_response(TOKEN, Response::json(json!({ "access_token": "new" }))).await;
    let http = http_for(&fake).await;
    let secret = SecretString::from("s");
    for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost] {
        let mut grant = grant(&fake);
        grant.binding.auth_method = method;
        let error = refresh(&http, &grant, None, now()).await.unwrap_err().error;
        assert_eq!(error.kind, ErrorKind::ClientSecretMissing);
        refresh(&http, &grant, Some(&secret), now()).await.unwrap();
    }
    // A public client never sends a secret.
    refresh(&http, &grant(&fake), Some(&secret), now()).await.unwrap();
    let [basic, post, none] = &fake.requests_to(TOKEN)[..] else { panic!("not three requests") };
    assert!(basic.headers.contains_key("authorization") && !basic.form().contains_key("client_secret"));
    assert_eq!(post.form()["client_secret"], "s");
    assert!(!none.headers.contains_key("authorization") && !none.form().contains_key("client_secret"));
}

#[tokio::test]
async fn without_a_refresh_token_nothing_is_sent() {
    let fake = Fake::start().await;
    let without = Grant { refresh_token: None, ..grant(&fake) };
    let error = refresh(&http_for(&fake).await, &without, None, now()).await.unwrap_err().error;
    assert_eq!(error.kind, ErrorKind::NoRefreshToken);
    assert!(fake.request_lines().is_empty());
}

#[tokio::test]
async fn refreshes_omit_the_resource_parameter_after_it_was_rejected() {
    let fake = Fake::start().await;
    let unknown = json!({ "error": "invalid_request", "error_description": "unknown parameter: resource" });
    let rejection = Response::json_with(400, unknown);
    fake.on_each(TOKEN, [rejection, Response::json(json!({ "access_token": "new" }))]);
    let http = http_for(&fake).await;
    let refreshed = refresh(&http, &grant(&fake), None, now()).await.unwrap();
    refresh(&http, &refreshed, None, now()).await.unwrap();
    let sent: Vec<bool> =
        fake.requests_to(TOKEN).iter().map(|request| request.form().contains_key("resource")).collect();
    assert_eq!(sent, [true, false, false]);
}

#[tokio::test]
async fn a_rotated_refresh_token_survives_an_unsupported_token_type() {
    for (response, expected) in [
        (json!({ "access_token": "t", "token_type": "DPoP", "refresh_token": "next" }), Some("next")),
        (json!({ "access_token": "t", "token_type": "DPoP", "refresh_token": "" }), None),
        (json!({ "access_token": "t", "token_type": "DPoP" }), None),
    ] {
        let fake = Fake::start_with_response(TOKEN, Response::json(response)).await;
        let failed = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err();
        assert_eq!(failed.error.kind, ErrorKind::UnsupportedTokenType("DPoP".into()));
        let rotated = failed.rotated.as_ref().and_then(|grant| grant.refresh_token.as_ref());
        assert_eq!(rotated.map(RefreshToken::expose), expected);
        assert!(!failed.error.is_terminal_for_grant() && !failed.error.is_outcome_unknown());
        assert!(!format!("{failed:?} {failed}").contains("next"));
    }
}

#[tokio::test]
async fn errors_state_whether_the_server_may_have_processed_the_request() {
    let responses = [
        (Response::text(502, ""), true),
        (Response::text(408, ""), true),
        (Response::new(200, "text/html", "<p>portal"), true),
        (Response::new(200, "application/json", "{\"access_token\":"), true),
        (Response::text(429, ""), false),
        (Response::redirect(302, "http://portal.example"), false),
        (Response::json_with(400, json!({ "error": "invalid_grant" })), false),
        (Response::json_with(400, json!({ "error": "invalid_request" })), false),
    ];
    for (response, is_unknown) in responses {
        let case = format!("{} {}", response.status, String::from_utf8_lossy(&response.body));
        let fake = Fake::start_with_response(TOKEN, response).await;
        let error = refresh(&http_for(&fake).await, &grant(&fake), None, now()).await.unwrap_err().error;
        assert_eq!(error.is_outcome_unknown(), is_unknown, "{case}");
    }
    // A listener that reads the request and closes the connection.
    let fake = Fake::start().await;
    let http = http_for(&fake).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut interrupted = grant(&fake);
    let endpoint = format!("http://{}/token", listener.local_addr().unwrap());
    interrupted.binding.token_endpoint = Endpoint::parse("", &endpoint).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await;
        }
    });
    let error = refresh(&http, &interrupted, None, now()).await.unwrap_err().error;
    assert!(matches!(error.kind, ErrorKind::ConnectionLost { .. }), "{error}");
    assert!(error.is_outcome_unknown() && error.is_transient());
}
