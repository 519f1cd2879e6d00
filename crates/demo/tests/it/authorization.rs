//! The authorization endpoint and the consent page.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use usher_demo::{DemoOptions, RedirectPolicy};

use crate::browser::{REDIRECT, query, start, with_field};

#[tokio::test]
async fn the_page_names_the_app_the_scopes_and_the_redirect() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let (_, client) = browser
        .register_as(json!({ "client_name": "<script>alert(1)</script>", "redirect_uris": [REDIRECT] }))
        .await;
    let response = browser.authorize(&browser.request(client["client_id"].as_str().unwrap())).await;

    assert_eq!(response.status(), StatusCode::OK);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
    let policy = header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' dev.usher.desktop:;"), "{policy}");

    let page = response.text().await.unwrap();
    assert!(!page.contains("<script>alert"), "the name is escaped");
    for words in [
        "&lt;script&gt;alert(1)&lt;/script&gt; would like to access Usher demo",
        "Ada Lovelace",
        "Read your pages",
        "Add pages",
        "Stay signed in",
        REDIRECT,
        r#"id="allow""#,
        r#"id="deny""#,
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[tokio::test]
async fn the_allow_button_sends_code_state_and_issuer_and_the_deny_button_sends_an_error() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let request = browser.request(&browser.register().await);

    let page = browser.authorize(&request).await.text().await.unwrap();
    let location = browser.press(&page, "allow").await;
    assert!(location.starts_with("dev.usher.desktop:/oauth/callback?code="), "{location}");
    let mut response = query(&location);
    assert!(response.remove("code").is_some_and(|code| code.len() == 32));
    assert_eq!(response.remove("state").as_deref(), Some("st&te=1"));
    assert_eq!(response.remove("iss").as_deref(), Some(demo.issuer()));
    assert!(response.is_empty(), "{response:?}");
    assert_eq!(browser.press(&page, "deny").await, location, "pressing again repeats the redirect");

    let page = browser.authorize(&request).await.text().await.unwrap();
    let parameters = query(&browser.press(&page, "deny").await);
    assert_eq!((parameters["error"].as_str(), parameters["state"].as_str()), ("access_denied", "st&te=1"));
    assert_eq!(parameters["iss"], demo.issuer());
    assert!(!parameters.contains_key("code"));
}

#[tokio::test]
async fn there_is_no_redirect_to_an_untrusted_address() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let valid = browser.request(&browser.register().await);
    let twice = |name: &'static str, value: &str| {
        let mut request = valid.clone();
        request.push((name, value.to_owned()));
        request
    };
    for (request, words) in [
        (with_field(valid.clone(), "client_id", "unknown"), "Unknown app"),
        (with_field(valid.clone(), "client_id", ""), "Unknown app"),
        (twice("client_id", "unknown"), "Unknown app"),
        (with_field(valid.clone(), "redirect_uri", "https://evil.example/cb"), "not registered"),
        (with_field(valid.clone(), "redirect_uri", "dev.usher.desktop://oauth/callback"), "not registered"),
        (with_field(valid.clone(), "redirect_uri", ""), "not registered"),
        (twice("redirect_uri", REDIRECT), "not registered"),
        (with_field(valid.clone(), "state", &"x".repeat(20_000)), "too long"),
    ] {
        let response = browser.authorize(&request).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{words}");
        assert!(!response.headers().contains_key("location"));
        let page = response.text().await.unwrap();
        assert!(page.contains(words), "{words} in {page}");
        assert!(!page.contains("evil.example"));
    }
}

#[tokio::test]
async fn other_errors_are_sent_to_the_client() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let valid = browser.request(&browser.register().await);
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("resource", "https://other.example/mcp", "invalid_target"),
        ("resource", "", "invalid_target"),
        ("scope", "notes:read everything", "invalid_scope"),
    ] {
        let response = browser.authorize(&with_field(valid.clone(), name, value)).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{name}={value}");
        let parameters = query(response.headers()["location"].to_str().unwrap());
        assert_eq!(parameters["error"], error, "{name}={value}");
        assert_eq!((parameters["state"].as_str(), parameters["iss"].as_str()), ("st&te=1", demo.issuer()));
    }
}

#[tokio::test]
async fn a_private_use_scheme_can_be_registered_and_then_rejected_at_the_authorization_endpoint() {
    let redirects = RedirectPolicy::PrivateUseRejectedAtAuthorize;
    let (_demo, browser) = start(DemoOptions { redirects, ..Default::default() }).await;
    let response = browser.authorize(&browser.request(&browser.register().await)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(response.text().await.unwrap().contains("Invalid redirect_uri"));
}

#[tokio::test]
async fn a_loopback_redirect_may_have_any_port() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let (_, client) =
        browser.register_as(json!({ "redirect_uris": ["http://127.0.0.1/oauth/callback"] })).await;
    let request = browser.request(client["client_id"].as_str().unwrap());
    let request = with_field(request, "redirect_uri", "http://127.0.0.1:50111/oauth/callback");
    let response = browser.authorize(&request).await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:50111;"), "{policy}");
    let page = response.text().await.unwrap();
    assert!(browser.press(&page, "allow").await.starts_with("http://127.0.0.1:50111/oauth/callback?code="));
}

#[tokio::test]
async fn the_consent_form_expires_and_cannot_be_forged() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let request = browser.request(&browser.register().await);

    let forged = browser.post("/authorize", &[("ticket", "guess"), ("decision", "allow")]).await;
    assert_eq!(forged.status(), StatusCode::BAD_REQUEST);

    let page = browser.authorize(&request).await.text().await.unwrap();
    let ticket = page.split_once(r#"name="ticket" value=""#).unwrap().1.split_once('"').unwrap().0;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("host", "evil.example")]
    {
        let response = browser
            .http
            .post(format!("{}/authorize", browser.issuer))
            .header(name, value)
            .form(&[("ticket", ticket), ("decision", "allow")])
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}");
    }

    demo.advance_clock(Duration::from_secs(601));
    let late = browser.post("/authorize", &[("ticket", ticket), ("decision", "allow")]).await;
    assert_eq!(late.status(), StatusCode::BAD_REQUEST);
}
