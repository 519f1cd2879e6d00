//! The device authorization grant of the demo (RFC 8628).

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use usher_demo::{Demo, DemoOptions};

use crate::browser::*;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn client(browser: &Browser) -> String {
    let metadata =
        json!({ "grant_types": [GRANT_TYPE, "refresh_token"], "token_endpoint_auth_method": "none" });
    let (status, client) = browser.register_as(metadata).await;
    assert_eq!(status, StatusCode::CREATED, "{client}");
    assert_eq!((&client["response_types"], &client["redirect_uris"]), (&json!([]), &json!([])));
    text(&client, "client_id")
}

async fn codes(demo: &Demo, browser: &Browser, client_id: &str) -> Value {
    let form = [("client_id", client_id), ("resource", demo.url().as_str()), ("scope", "notes:read")];
    browser.post("/device_authorization", &form).await.json().await.unwrap()
}

async fn poll(browser: &Browser, client_id: &str, codes: &Value) -> Result<Value, String> {
    let device_code = text(codes, "device_code");
    let form = [("grant_type", GRANT_TYPE), ("client_id", client_id), ("device_code", &device_code)];
    let (status, body) = browser.token(&form).await;
    if status.is_success() { Ok(body) } else { Err(text(&body, "error")) }
}

/// Enters the code, and returns the ticket of the consent page.
async fn ticket(browser: &Browser, user_code: &str) -> Option<String> {
    let page = browser.post("/device", &[("user_code", user_code)]).await.text().await.unwrap();
    let (_, rest) = page.split_once(r#"name="ticket" value=""#)?;
    Some(rest.split_once('"').unwrap().0.to_owned())
}

#[tokio::test]
async fn the_person_enters_the_code_and_the_client_gets_tokens_once() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let client = client(&browser).await;
    let codes = codes(&demo, &browser, &client).await;
    assert_eq!(codes["interval"], 1);
    demo.advance_clock(Duration::from_secs(1));
    assert_eq!(poll(&browser, &client, &codes).await, Err("authorization_pending".to_owned()));
    assert_eq!(poll(&browser, &client, &codes).await, Err("slow_down".to_owned()));
    let entered = text(&codes, "user_code").to_lowercase().replace('-', " ");
    let ticket = ticket(&browser, &entered).await.unwrap();
    let page = browser.post("/device", &[("ticket", &ticket), ("decision", "allow")]).await;
    assert!(page.text().await.unwrap().contains("Access allowed"));
    let tokens = poll(&browser, &client, &codes).await.unwrap();
    assert_eq!(tokens["scope"], "notes:read");
    assert!(browser.may_list_tools(&text(&tokens, "access_token")).await);
    assert_eq!(poll(&browser, &client, &codes).await, Err("invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_denied_or_expired_code_yields_no_token() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let client = client(&browser).await;
    let denied = codes(&demo, &browser, &client).await;
    let ticket_of_denied = ticket(&browser, &text(&denied, "user_code")).await.unwrap();
    browser.post("/device", &[("ticket", &ticket_of_denied), ("decision", "deny")]).await;
    assert_eq!(poll(&browser, &client, &denied).await, Err("access_denied".to_owned()));
    let expired = codes(&demo, &browser, &client).await;
    demo.advance_clock(Duration::from_secs(600));
    assert_eq!(poll(&browser, &client, &expired).await, Err("expired_token".to_owned()));
    assert_eq!(ticket(&browser, &text(&expired, "user_code")).await, None);
    assert_eq!(ticket(&browser, "nonsense").await, None);
}

#[tokio::test]
async fn only_a_client_that_registered_for_the_grant_gets_a_code() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let for_browsers = browser.register().await;
    assert_eq!(codes(&demo, &browser, &for_browsers).await["error"], "unauthorized_client");
    let client = client(&browser).await;
    let codes = codes(&demo, &browser, &client).await;
    assert_eq!(poll(&browser, &for_browsers, &codes).await, Err("invalid_grant".to_owned()));
}
