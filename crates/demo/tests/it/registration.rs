//! Dynamic client registration.

use reqwest::StatusCode;
use serde_json::{Value, json};
use usher_demo::{DemoOptions, RedirectPolicy};

use crate::browser::{Browser, REDIRECT, start};

const WITH_HOST: &str = "dev.usher.desktop://oauth/callback";
const LOOPBACK: &str = "http://127.0.0.1:49152/oauth/callback";

async fn outcome(browser: &Browser, metadata: Value) -> String {
    let (status, body) = browser.register_as(metadata).await;
    match status {
        StatusCode::CREATED => "registered".to_owned(),
        StatusCode::BAD_REQUEST => body["error"].as_str().unwrap().to_owned(),
        status => status.as_str().to_owned(),
    }
}

#[tokio::test]
async fn the_response_contains_the_registered_metadata() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let (status, mut client) = browser
        .register_as(json!({
            "client_name": "  Us\u{202e}her\n ",
            "redirect_uris": [REDIRECT],
            "application_type": "native",
            "token_endpoint_auth_method": "none",
            "software_id": "unsupported and ignored",
        }))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    for random in ["client_id", "client_id_issued_at"] {
        assert_ne!(client[random].take(), Value::Null);
    }
    assert_eq!(
        client,
        json!({
            "client_id": null,
            "client_id_issued_at": null,
            "client_name": "Usher",
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        })
    );
}

#[tokio::test]
async fn the_policy_decides_which_redirects_are_accepted() {
    let redirects = [REDIRECT, WITH_HOST, LOOPBACK, "https://example.com/cb", "javascript:alert(1)"];
    let (yes, no) = ("registered", "invalid_redirect_uri");
    for (policy, expected) in [
        (RedirectPolicy::Any, [yes, yes, yes, yes, no]),
        (RedirectPolicy::HostRequired, [no, yes, yes, yes, no]),
        (RedirectPolicy::NoPrivateUse, [no, no, yes, yes, no]),
        (RedirectPolicy::PrivateUseRejectedAtAuthorize, [yes, yes, yes, yes, no]),
    ] {
        let (_demo, browser) = start(DemoOptions { redirects: policy, ..Default::default() }).await;
        for (redirect, expected) in redirects.into_iter().zip(expected) {
            let outcome = outcome(&browser, json!({ "redirect_uris": [redirect] })).await;
            assert_eq!(outcome, expected, "{policy:?} {redirect}");
        }
        let together = outcome(&browser, json!({ "redirect_uris": [LOOPBACK, "file:///x"] })).await;
        assert_eq!(together, no, "one invalid redirect fails the registration");
    }
}

#[tokio::test]
async fn invalid_metadata_gets_an_error_code() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    for (metadata, expected) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": "x" }), "invalid_client_metadata"),
        (json!([1]), "invalid_client_metadata"),
        (json!({ "redirect_uris": [LOOPBACK], "application_type": "web" }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [LOOPBACK], "application_type": "toaster" }), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": [LOOPBACK], "token_endpoint_auth_method": "private_key_jwt" }),
            "invalid_client_metadata",
        ),
        (json!({ "redirect_uris": [LOOPBACK], "grant_types": ["implicit"] }), "invalid_client_metadata"),
        (json!({ "redirect_uris": [LOOPBACK], "response_types": ["token"] }), "invalid_client_metadata"),
        (json!({ "redirect_uris": [format!("https://e.org/{}", "x".repeat(100_000))] }), "413"),
    ] {
        let shown: String = metadata.to_string().chars().take(80).collect();
        assert_eq!(outcome(&browser, metadata).await, expected, "{shown}");
    }
}
