//! Token revocation (RFC 7009).

use secrecy::SecretString;
use serde_json::json;
use usher_oauth::{AuthMethod, ErrorKind, Grant, Step, revoke};

use crate::refresh::grant;
use crate::support::*;

const REVOKE: &str = "POST /revoke";

fn form(pairs: &[(&str, &str)]) -> std::collections::HashMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[tokio::test]
async fn the_access_token_is_revoked_only_if_there_is_no_refresh_token() {
    let fake = Fake::start_with_response(REVOKE, Response::text(200, "")).await;
    let http = http_for(&fake).await;
    revoke(&http, &grant(&fake), None).await.unwrap();
    revoke(&http, &Grant { refresh_token: None, ..grant(&fake) }, None).await.unwrap();
    let mut without_endpoint = grant(&fake);
    without_endpoint.binding.revocation_endpoint = None;
    revoke(&http, &without_endpoint, None).await.unwrap();
    let sent: Vec<_> = fake.requests().iter().map(|request| request.form()).collect();
    let refresh =
        form(&[("token", "old-refresh"), ("token_type_hint", "refresh_token"), ("client_id", "app")]);
    let access = form(&[("token", "old-access"), ("token_type_hint", "access_token"), ("client_id", "app")]);
    assert_eq!(sent, [refresh, access]);
}

#[tokio::test]
async fn a_confidential_client_authenticates() {
    let fake = Fake::start_with_response(REVOKE, Response::text(200, "")).await;
    let http = http_for(&fake).await;
    let secret = SecretString::from("s:");
    for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost] {
        let mut grant = grant(&fake);
        grant.binding.auth_method = method;
        assert_eq!(revoke(&http, &grant, None).await.unwrap_err().kind, ErrorKind::ClientSecretMissing);
        revoke(&http, &grant, Some(&secret)).await.unwrap();
    }
    let [basic, post] = &fake.requests_to(REVOKE)[..] else { panic!("not two requests") };
    assert_eq!(basic.headers["authorization"], "Basic YXBwOnMlM0E=");
    assert_eq!(post.form()["client_secret"], "s:");
}

#[tokio::test]
async fn errors_and_outages_are_distinguished() {
    let rejected = ErrorKind::TokenError { error: "unsupported_token_type".into(), description: None };
    let table = [
        (Response::json_with(400, json!({ "error": "unsupported_token_type" })), rejected),
        (Response::text(503, ""), ErrorKind::Transient { status: 503, retry_after: None }),
        (Response::new(404, "text/html", "<p>"), ErrorKind::Status(404)),
    ];
    for (response, expected) in table {
        let fake = Fake::start_with_response(REVOKE, response).await;
        let error = revoke(&http_for(&fake).await, &grant(&fake), None).await.unwrap_err();
        assert_eq!((error.step, error.kind), (Step::Revocation, expected));
    }
}
