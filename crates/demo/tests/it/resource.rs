//! Access to the MCP server.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use usher_demo::{DemoOptions, Guard};

use crate::browser::{call, start};

#[tokio::test]
async fn without_a_valid_token_the_response_is_a_challenge() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let list = call("tools/list", json!({}));
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", demo.issuer());
    let signed_in = browser.sign_in().await;

    let response = browser.mcp(None, list.clone()).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        response.headers()["www-authenticate"],
        format!(r#"Bearer resource_metadata="{metadata}", scope="openid notes:read notes:write""#)
    );
    for token in ["nonsense", &signed_in.refresh_token] {
        let response = browser.mcp(Some(token), list.clone()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(
            response.headers()["www-authenticate"],
            format!(
                r#"Bearer error="invalid_token", error_description="unknown token", resource_metadata="{metadata}", scope="openid notes:read notes:write""#
            )
        );
    }
    assert!(browser.may_list_tools(&signed_in.access_token).await);
    let in_query = format!("{}?access_token={}", demo.url(), signed_in.access_token);
    let response = browser.http.post(in_query).json(&list).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "a token in the query is ignored");
}

#[tokio::test]
async fn a_token_for_another_audience_is_rejected_despite_the_same_key() {
    let options = || DemoOptions { signing_key: Some([3; 32]), ..Default::default() };
    let ((_one, browser), (_other, other_browser)) = (start(options()).await, start(options()).await);
    let other = other_browser.sign_in().await;

    let response = browser.mcp(Some(&other.access_token), call("tools/list", json!({}))).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("the token is for another resource"), "{challenge}");
    let (status, body) = browser.refresh(&other.client_id, &other.refresh_token).await;
    assert_eq!((status, &body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
}

#[tokio::test]
async fn a_token_expires() {
    let (demo, browser) =
        start(DemoOptions { access_token_lifetime: Duration::from_secs(5), ..Default::default() }).await;
    let signed_in = browser.sign_in().await;
    assert!(browser.may_list_tools(&signed_in.access_token).await);
    demo.advance_clock(Duration::from_secs(5));
    assert!(!browser.may_list_tools(&signed_in.access_token).await);
    let (status, tokens) = browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await;
    assert_eq!(status, StatusCode::OK);
    assert!(browser.may_list_tools(tokens["access_token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn writing_requires_its_own_scope() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let reader = browser.sign_in_with_scope("notes:read").await.access_token;
    let write = call("tools/call", json!({ "name": "create_page", "arguments": { "title": "New" } }));
    let read = call("tools/call", json!({ "name": "search_pages", "arguments": {} }));

    let response = browser.mcp(Some(&reader), write.clone()).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with(r#"Bearer error="insufficient_scope""#), "{challenge}");
    assert!(challenge.ends_with(r#"scope="notes:write""#), "{challenge}");
    assert_eq!(browser.mcp(Some(&reader), read.clone()).await.status(), StatusCode::OK);

    let writer = browser.sign_in_with_scope("notes:write").await.access_token;
    assert_eq!(browser.mcp(Some(&writer), write).await.status(), StatusCode::OK);
    assert_eq!(browser.mcp(Some(&writer), read).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn other_hosts_and_origins_are_rejected_everywhere() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let token = browser.sign_in().await.access_token;
    for path in ["/mcp", "/.well-known/oauth-authorization-server", "/authorize"] {
        for (name, value) in [
            ("host", "evil.example"),
            ("host", "127.0.0.1:1"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
        ] {
            let request = browser.http.get(format!("{}{path}", demo.issuer())).bearer_auth(&token);
            let response = request.header(name, value).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_is_rejected() {
    let (_demo, browser) = start(DemoOptions::default()).await;
    let token = browser.sign_in().await.access_token;
    let response = browser.mcp(Some(&token), call("tools/list", json!({ "x": "x".repeat(300_000) }))).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn some_guards_check_only_tool_calls() {
    let search = call("tools/call", json!({ "name": "search_pages", "arguments": {} }));
    for (guard, status) in
        [(Guard::ToolCallsOnly, StatusCode::UNAUTHORIZED), (Guard::UnauthorizedInResult, StatusCode::OK)]
    {
        let (_demo, browser) = start(DemoOptions { guard, ..Default::default() }).await;
        let listed = browser.mcp(None, call("tools/list", json!({}))).await;
        assert_eq!(listed.status(), StatusCode::OK, "{guard:?}");
        let refused = browser.mcp(None, search.clone()).await;
        assert_eq!(refused.status(), status, "{guard:?}");
        assert_eq!(refused.headers().contains_key("www-authenticate"), guard == Guard::ToolCallsOnly);
        let body = refused.text().await.unwrap();
        assert_eq!(body.contains("HTTP 401 Unauthorized"), guard == Guard::UnauthorizedInResult, "{body}");
        let token = browser.sign_in().await.access_token;
        let found = browser.mcp(Some(&token), search.clone()).await;
        assert!(found.text().await.unwrap().contains("structuredContent"), "{guard:?}");
    }
}
