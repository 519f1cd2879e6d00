//! The token and revocation endpoints.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::{Value, json};
use usher_demo::{DemoOptions, TokenFault};

use crate::browser::{REDIRECT, VERIFIER, start, text};

#[tokio::test]
async fn a_sign_in_grants_the_allowed_scopes() {
    let (demo, browser) =
        start(DemoOptions { access_token_lifetime: Duration::from_secs(5), ..Default::default() }).await;
    let mut tokens = browser.sign_in().await.tokens;
    let id_token = text(&tokens, "id_token");
    for secret in ["access_token", "refresh_token", "id_token"] {
        assert!(tokens[secret].take().is_string(), "{secret}");
    }
    assert_eq!(
        tokens,
        json!({
            "access_token": null,
            "token_type": "Bearer",
            "expires_in": 5,
            "scope": "openid notes:read notes:write offline_access",
            "refresh_token": null,
            "id_token": null,
        })
    );
    let claims = id_token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!((&claims["iss"], &claims["name"]), (&json!(demo.issuer()), &json!("Ada Lovelace")));
    assert_eq!(claims["email"], "ada@example.org");
    assert_eq!(demo.token_requests("authorization_code"), 1);
}

#[tokio::test]
async fn token_responses_are_never_cached() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let response = browser.post("/token", &[("grant_type", "refresh_token")]).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_code_is_valid_only_for_its_client_verifier_redirect_and_resource() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let client_id = browser.register().await;
    let other_client = browser.register().await;
    let code = browser.code(&browser.request(&client_id)).await;
    let valid = vec![
        ("grant_type", "authorization_code"),
        ("client_id", &client_id),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
        ("resource", &browser.resource),
    ];
    for (name, value, error) in [
        ("client_id", other_client.as_str(), "invalid_grant"),
        ("client_id", "unknown", "invalid_client"),
        ("client_id", "", "invalid_client"),
        ("code_verifier", "another-verifier-that-does-not-match-the-challenge-01", "invalid_grant"),
        ("code_verifier", "", "invalid_request"),
        ("redirect_uri", "dev.usher.desktop://oauth/callback", "invalid_grant"),
        ("redirect_uri", "", "invalid_grant"),
        ("resource", "https://other.example/mcp", "invalid_target"),
        ("code", "guess", "invalid_grant"),
        ("code", "", "invalid_request"),
        ("grant_type", "password", "unsupported_grant_type"),
        ("grant_type", "", "invalid_request"),
    ] {
        let mut form = valid.clone();
        form.retain(|(key, _)| *key != name);
        form.push((name, value));
        let (status, body) = browser.token(&form).await;
        assert_eq!(body["error"], error, "{name}={value}");
        let expected =
            if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        assert_eq!(status, expected, "{name}={value}");
    }
    let twice: Vec<_> = valid.iter().copied().chain([("code", "guess")]).collect();
    assert_eq!(browser.token(&twice).await.1["error"], "invalid_request");
    // None of these requests redeemed the code.
    assert_eq!(browser.token(&valid).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_code_expires_after_a_minute() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let client_id = browser.register().await;
    let in_time = browser.code(&browser.request(&client_id)).await;
    let too_late = browser.code(&browser.request(&client_id)).await;
    demo.advance_clock(Duration::from_secs(50));
    assert_eq!(browser.exchange(&client_id, &in_time).await.0, StatusCode::OK);
    demo.advance_clock(Duration::from_secs(11));
    assert_eq!(browser.exchange(&client_id, &too_late).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_replayed_code_revokes_its_tokens() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let other = browser.sign_in().await;
    let signed_in = browser.sign_in().await;
    assert!(browser.may_list_tools(&signed_in.access_token).await);

    let (status, body) = browser.exchange(&signed_in.client_id, &signed_in.code).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert!(!browser.may_list_tools(&signed_in.access_token).await);
    let (_, body) = browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await;
    assert_eq!(body["error"], "invalid_grant");
    assert!(browser.may_list_tools(&other.access_token).await);
}

#[tokio::test]
async fn only_one_of_two_concurrent_exchanges_of_a_code_succeeds() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let client_id = browser.register().await;
    let code = browser.code(&browser.request(&client_id)).await;
    let (one, other) = tokio::join!(browser.exchange(&client_id, &code), browser.exchange(&client_id, &code));
    let successes = [one.0, other.0].into_iter().filter(|status| *status == StatusCode::OK).count();
    assert_eq!(successes, 1);
}

#[tokio::test]
async fn a_refresh_rotates_the_token_and_reuse_revokes_the_family() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let first = browser.sign_in().await;
    let (status, second) = browser.refresh(&first.client_id, &first.refresh_token).await;
    assert_eq!(status, StatusCode::OK, "{second}");
    let second_refresh = text(&second, "refresh_token");
    assert_ne!(second_refresh, first.refresh_token);
    assert!(browser.may_list_tools(&text(&second, "access_token")).await);

    let (status, reuse) = browser.refresh(&first.client_id, &first.refresh_token).await;
    assert_eq!((status, &reuse["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    let (_, after) = browser.refresh(&first.client_id, &second_refresh).await;
    assert_eq!(after["error"], "invalid_grant", "the newest token of the family is revoked too");
    assert!(!browser.may_list_tools(&text(&second, "access_token")).await);
    assert_eq!(demo.token_requests("refresh_token"), 3);
}

#[tokio::test]
async fn concurrent_refreshes_with_one_token_revoke_the_family() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let signed_in = browser.sign_in().await;
    let attempts = (0..50).map(|_| browser.refresh(&signed_in.client_id, &signed_in.refresh_token));
    let mut newest = Vec::new();
    for (status, body) in futures::future::join_all(attempts).await {
        if status == StatusCode::OK {
            newest.push(text(&body, "refresh_token"));
        }
    }
    assert_eq!(newest.len(), 1);
    assert_eq!(browser.refresh(&signed_in.client_id, &newest[0]).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn within_the_grace_period_a_lost_response_can_be_requested_again() {
    let options = DemoOptions { refresh_grace: Duration::from_secs(30), ..Default::default() };
    let (demo, browser) = start(options).await;
    let signed_in = browser.sign_in().await;
    demo.add_token_fault(TokenFault::ResponseLost);
    let lost = browser
        .post(
            "/token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &signed_in.client_id),
                ("refresh_token", &signed_in.refresh_token),
            ],
        )
        .await;
    assert_eq!(lost.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await.0, StatusCode::OK);
    demo.advance_clock(Duration::from_secs(31));
    let (_, late) = browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await;
    assert_eq!(late["error"], "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_is_valid_only_for_its_client_and_scope_and_expires() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let signed_in = browser.sign_in_with_scope("notes:read offline_access").await;
    let other_client = browser.register().await;
    let error = |body: Value| body["error"].as_str().unwrap().to_owned();

    assert_eq!(error(browser.refresh(&other_client, &signed_in.refresh_token).await.1), "invalid_grant");
    assert_eq!(
        error(browser.refresh(&signed_in.client_id, &signed_in.access_token).await.1),
        "invalid_grant"
    );
    let wider = browser
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", &signed_in.client_id),
            ("refresh_token", &signed_in.refresh_token),
            ("scope", "notes:read notes:write"),
        ])
        .await;
    assert_eq!(error(wider.1), "invalid_scope");

    demo.advance_clock(Duration::from_secs(31 * 24 * 3600));
    assert_eq!(
        error(browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await.1),
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_refresh_token_requires_offline_access() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    assert_eq!(browser.sign_in_with_scope("notes:read").await.refresh_token, "");
    assert_ne!(browser.sign_in_with_scope("notes:read offline_access").await.refresh_token, "");
}

#[tokio::test]
async fn a_confidential_client_must_authenticate_as_registered() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let (_, client) = browser
            .register_as(json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": method }))
            .await;
        let (client_id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
        assert_eq!(client["client_secret_expires_at"], 0);
        let code = browser.code(&browser.request(&client_id)).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
        ];
        let send = async |basic: Option<&str>, post: Option<&str>| {
            let mut form = form.to_vec();
            let mut request = browser.http.post(format!("{}/token", browser.issuer));
            if let Some(secret) = basic {
                let credentials = STANDARD.encode(format!("{client_id}:{secret}"));
                request = request.header("authorization", format!("Basic {credentials}"));
            } else {
                form.push(("client_id", &client_id));
            }
            if let Some(secret) = post {
                form.push(("client_secret", secret));
            }
            request.form(&form).send().await.unwrap()
        };
        let wrong = "wrong";
        let (right_way, other_way) = match method {
            "client_secret_basic" => ((Some(secret.as_str()), None), (None, Some(secret.as_str()))),
            _ => ((None, Some(secret.as_str())), (Some(secret.as_str()), None)),
        };
        for (basic, post) in [(None, None), (Some(wrong), None), (None, Some(wrong)), other_way] {
            let response = send(basic, post).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {basic:?} {post:?}");
            assert_eq!(response.headers().contains_key("www-authenticate"), basic.is_some());
            assert_eq!(response.json::<Value>().await.unwrap()["error"], "invalid_client");
        }
        assert_eq!(send(right_way.0, right_way.1).await.status(), StatusCode::OK, "{method}");
    }
}

#[tokio::test]
async fn revoking_either_token_revokes_both_unless_they_belong_to_another_client() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    for field in ["access_token", "refresh_token"] {
        let signed_in = browser.sign_in().await;
        let token = text(&signed_in.tokens, field);

        let other_client = browser.register().await;
        let response = browser.post("/revoke", &[("token", &token), ("client_id", &other_client)]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(browser.may_list_tools(&signed_in.access_token).await);

        let response =
            browser.post("/revoke", &[("token", &token), ("client_id", &signed_in.client_id)]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(!browser.may_list_tools(&signed_in.access_token).await);
        let (_, body) = browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await;
        assert_eq!(body["error"], "invalid_grant");
    }
    let client_id = browser.register().await;
    let unknown = browser.post("/revoke", &[("token", "unknown"), ("client_id", &client_id)]).await;
    assert_eq!(unknown.status(), StatusCode::OK, "RFC 7009 §2.2");
}

#[tokio::test]
async fn each_fault_occurs_once_and_in_order() {
    let faults = vec![
        TokenFault::ServerError,
        TokenFault::Unavailable { retry_after: Some(7) },
        TokenFault::TooManyRequests { retry_after: 3 },
        TokenFault::HtmlPage,
        TokenFault::UnavailableInvalidGrant,
        TokenFault::InvalidClient,
        TokenFault::InvalidGrant,
    ];
    let (_demo, browser) = start(DemoOptions { token_faults: faults, ..Default::default() }).await;
    let mut responses = Vec::new();
    for _ in 0..8 {
        let response = browser.post("/token", &[("grant_type", "refresh_token")]).await;
        let retry_after =
            response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        let kind = ["<h1>", "invalid_grant", "invalid_client"].into_iter().find(|kind| body.contains(kind));
        responses.push((status, retry_after, kind));
    }
    assert_eq!(
        responses,
        [
            (500, None, None),
            (503, Some("7".to_owned()), None),
            (429, Some("3".to_owned()), None),
            (200, None, Some("<h1>")),
            (503, None, Some("invalid_grant")),
            (401, None, Some("invalid_client")),
            (400, None, Some("invalid_grant")),
            (401, None, Some("invalid_client")),
        ]
    );
}
