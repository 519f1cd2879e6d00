//! Starting, stopping and restarting a demo, and the methods of its handle.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use usher_demo::{Demo, DemoOptions, RequestRecord, StartError};
use usher_fake_service::http_client;

use crate::browser::{Browser, call, start, text};

#[tokio::test]
async fn a_restart_with_the_same_key_and_port_keeps_clients_and_tokens() {
    let options = || DemoOptions { signing_key: Some([9; 32]), ..Default::default() };
    let demo = Demo::start(options()).await.unwrap();
    let port = demo.port();
    let signed_in = Browser::new(&demo).sign_in().await;
    demo.stop().await;

    let (demo, browser) = start(DemoOptions { port: Some(port), ..options() }).await;
    assert!(browser.may_list_tools(&signed_in.access_token).await);
    let (status, tokens) = browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let (_, reuse) = browser.refresh(&signed_in.client_id, &signed_in.refresh_token).await;
    assert_eq!(reuse["error"], "invalid_grant");
    demo.stop().await;

    let (_demo, browser) = start(DemoOptions { port: Some(port), ..Default::default() }).await;
    assert!(!browser.may_list_tools(&text(&tokens, "access_token")).await, "another key");
    assert_eq!(browser.refresh(&signed_in.client_id, "x").await.1["error"], "invalid_client");
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_the_port() {
    let demo = Demo::start(DemoOptions::default()).await.unwrap();
    let error =
        Demo::start(DemoOptions { port: Some(demo.port()), ..Default::default() }).await.err().unwrap();
    assert!(matches!(&error, StartError::Listen { address, .. } if address.port() == demo.port()), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", demo.port())), "{error}");
}

#[tokio::test]
async fn a_connection_without_a_request_does_not_delay_the_stop() {
    let demo = Demo::start(DemoOptions::default()).await.unwrap();
    let mut connection = TcpStream::connect(("127.0.0.1", demo.port())).await.unwrap();
    connection.write_all(b"GET /mcp HTTP/1.1\r\n").await.unwrap();
    // The demo has accepted the connection before this one.
    let http = http_client().build().unwrap();
    http.get(demo.url().join("/").unwrap()).send().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(3), demo.stop()).await.is_ok());
}

#[tokio::test]
async fn the_request_log_contains_no_secrets() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let signed_in = browser.sign_in().await;
    browser.mcp(Some(&signed_in.access_token), call("tools/list", json!({}))).await;
    browser.mcp(None, call("tools/list", json!({}))).await;

    let record = |method: &str, path: &str, status: u16| RequestRecord {
        method: method.to_owned(),
        path: path.to_owned(),
        grant_type: None,
        mcp_method: None,
        status,
    };
    let grant_type = Some("authorization_code".to_owned());
    let mcp_method = Some("tools/list".to_owned());
    assert_eq!(
        demo.requests(),
        [
            record("POST", "/register", 201),
            record("GET", "/authorize", 200),
            record("POST", "/authorize", 303),
            RequestRecord { grant_type, ..record("POST", "/token", 200) },
            RequestRecord { mcp_method, ..record("POST", "/mcp", 200) },
            record("POST", "/mcp", 401),
        ]
    );
    demo.forget_requests();
    assert_eq!(demo.requests(), []);
}

#[tokio::test]
async fn all_tokens_and_clients_can_be_invalidated_at_once() {
    let (demo, browser) = start(DemoOptions::default()).await;

    let first = browser.sign_in().await;
    demo.revoke_access_tokens();
    assert!(!browser.may_list_tools(&first.access_token).await);
    let (status, tokens) = browser.refresh(&first.client_id, &first.refresh_token).await;
    assert_eq!(status, StatusCode::OK);
    assert!(browser.may_list_tools(&text(&tokens, "access_token")).await);

    demo.revoke_everything();
    assert!(!browser.may_list_tools(&text(&tokens, "access_token")).await);
    let (_, body) = browser.refresh(&first.client_id, &text(&tokens, "refresh_token")).await;
    assert_eq!(body["error"], "invalid_grant");

    let second = browser.sign_in().await;
    demo.forget_clients();
    let (status, body) = browser.refresh(&second.client_id, &second.refresh_token).await;
    assert_eq!((status, &body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    assert!(browser.may_list_tools(&browser.sign_in().await.access_token).await);
}

#[tokio::test]
async fn a_stopped_or_dropped_demo_does_not_respond() {
    for drop_it in [false, true] {
        let (demo, browser) = start(DemoOptions::default()).await;
        let address = format!("{}/.well-known/oauth-authorization-server", demo.issuer());
        assert_eq!(browser.http.get(&address).send().await.unwrap().status(), StatusCode::OK);
        if drop_it {
            drop(demo);
            let refused = async {
                while browser.http.get(&address).send().await.is_ok() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(5), refused).await.unwrap();
        } else {
            demo.stop().await;
            assert!(browser.http.get(&address).send().await.is_err());
        }
    }
}
