//! The metadata documents.

use serde_json::{Value, json};
use usher_demo::DemoOptions;

use crate::browser::{Browser, start};

async fn get(browser: &Browser, path: &str) -> Value {
    browser.http.get(format!("{}{path}", browser.issuer)).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn both_documents_name_the_addresses_of_this_demo() {
    let (demo, browser) = start(DemoOptions::default()).await;
    let issuer = format!("http://127.0.0.1:{}", demo.port());
    assert_eq!(demo.url().as_str(), format!("{issuer}/mcp"));

    assert_eq!(
        get(&browser, "/.well-known/oauth-protected-resource/mcp").await,
        json!({
            "resource": format!("{issuer}/mcp"),
            "resource_name": "Usher demo",
            "authorization_servers": [issuer],
            "scopes_supported": ["openid", "notes:read", "notes:write"],
            "bearer_methods_supported": ["header"],
        })
    );
    assert_eq!(
        get(&browser, "/.well-known/oauth-authorization-server").await,
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "registration_endpoint": format!("{issuer}/register"),
            "revocation_endpoint": format!("{issuer}/revoke"),
            "device_authorization_endpoint": format!("{issuer}/device_authorization"),
            "scopes_supported": ["openid", "notes:read", "notes:write", "offline_access"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code",
                "urn:ietf:params:oauth:grant-type:device_code",
                "refresh_token",
            ],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    );
}
