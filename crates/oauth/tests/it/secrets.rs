//! Secrets are never printed or serialized, except in requests and the secret store.

use secrecy::SecretString;
use serde_json::json;
use usher_oauth::{ClientSettings, RedirectUri, Scopes, exchange, refresh};

use crate::support::*;

#[tokio::test]
async fn no_secret_is_printed_or_serialized() {
    let changes = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] });
    let fake = Fake::start_with_changed_metadata(changes).await;
    let tokens = json!({ "access_token": "CANARY-access", "refresh_token": "CANARY-refresh" });
    fake.on(TOKEN, Response::json(tokens));
    fake.on(REGISTER, Response::json(json!({ "client_id": "app", "client_secret": "CANARY-client" })));
    let settings = ClientSettings { client_secret: Some("CANARY-configured".into()), ..Default::default() };
    let registered = register_with(&fake, &settings, &RedirectUri::custom_scheme()).await.unwrap();
    let registration = serde_json::to_string(&registered.client().registration).unwrap();
    let discovered = serde_json::to_string(registered.discovered()).unwrap();
    let mut printed = vec![registration, discovered, format!("{registered:?} {settings:?}")];

    let pending = registered.authorize(&Scopes::default(), now()).unwrap();
    let (state, verifier) = (pending.state().to_owned(), code_verifier(&pending));
    printed.push(format!("{pending:?} {:?}", pending.to_secret()));
    let response = parsed(&callback(&pending, "code=CANARY-code")).unwrap();
    printed.push(format!("{response:?}"));
    let code = pending.accept(response, now()).unwrap();
    printed.push(format!("{code:?}"));
    let http = http_for(&fake).await;
    let grant = exchange(&http, code, now()).await.unwrap();
    printed.push(format!("{grant:?}"));
    printed.push(serde_json::to_string(&grant.binding).unwrap());
    // The server repeats the refresh token in two invalid responses.
    let echo = json!({ "error": "CANARY-refresh", "error_description": "unknown: CANARY-refresh CANARY-client CANARY-access" });
    for response in [Response::json_with(400, echo), Response::new(200, "text/plain", "CANARY-refresh")] {
        fake.on(TOKEN, response);
        let secret = SecretString::from("CANARY-client");
        let error = refresh(&http, &grant, Some(&secret), now()).await.unwrap_err();
        printed.push(format!("{error} {error:?} {}", error.error.hint()));
    }
    for text in printed {
        assert!(!text.contains("CANARY"), "{text}");
        assert!(!text.contains(&state) && !text.contains(&verifier), "{text}");
    }
}

/// Returns the PKCE code verifier, which only the serialized pending authorization contains.
fn code_verifier(pending: &usher_oauth::PendingAuthorization) -> String {
    let secret = pending.to_secret();
    let persisted: serde_json::Value =
        serde_json::from_str(secrecy::ExposeSecret::expose_secret(&secret)).unwrap();
    persisted["verifier"].as_str().unwrap().to_owned()
}

#[test]
fn debug_redacts_tokens() {
    assert_eq!(format!("{:?}", usher_oauth::AccessToken::new("t")), "[redacted]");
    assert_eq!(format!("{:?}", usher_oauth::RefreshToken::new("t")), "[redacted]");
}
