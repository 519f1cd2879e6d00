//! The forms of a token request: client authentication, and the `resource` parameter.

use base64::Engine;
use secrecy::SecretString;
use serde_json::json;
use usher_oauth::{AuthMethod, ClientSettings, Error, ErrorKind, Grant, RedirectUri, Scopes, exchange};

use crate::support::*;

async fn exchanged_as(method: AuthMethod, id: &str, secret: Option<&str>) -> (Fake, Result<Grant, Error>) {
    let changes = json!({ "token_endpoint_auth_methods_supported": [method.as_str()] });
    let fake = Fake::start_with_changed_metadata(changes).await;
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    let client_secret = secret.map(SecretString::from);
    let settings = ClientSettings { client_id: Some(id.into()), client_secret, ..Default::default() };
    let registered = register_with(&fake, &settings, &RedirectUri::custom_scheme()).await.unwrap();
    let code = accepted(registered.authorize(&Scopes::default(), now()).unwrap());
    let grant = exchange(&http_for(&fake).await, code, now()).await;
    (fake, grant)
}

#[tokio::test]
async fn the_client_uses_the_supported_auth_method() {
    let (fake, grant) = exchanged_as(AuthMethod::ClientSecretBasic, "i d:", Some("s/e+c%")).await;
    assert_eq!(grant.unwrap().binding.auth_method, AuthMethod::ClientSecretBasic);
    let request = &fake.requests_to(TOKEN)[0];
    // RFC 6749 §2.3.1: both parts are form-encoded first.
    let credentials = base64::prelude::BASE64_STANDARD.encode("i+d%3A:s%2Fe%2Bc%25");
    assert_eq!(request.headers["authorization"], format!("Basic {credentials}"));
    // Some servers read the client ID only from the form.
    assert!(!request.form().contains_key("client_secret") && request.form()["client_id"] == "i d:");

    let (fake, grant) = exchanged_as(AuthMethod::ClientSecretPost, "id", Some("s")).await;
    assert_eq!(grant.unwrap().binding.auth_method, AuthMethod::ClientSecretPost);
    let request = &fake.requests_to(TOKEN)[0];
    assert_eq!((request.form()["client_id"].as_str(), request.form()["client_secret"].as_str()), ("id", "s"));
    assert!(request.headers.get("authorization").is_none());

    let (fake, grant) = exchanged_as(AuthMethod::ClientSecretBasic, "id", None).await;
    assert_eq!(grant.unwrap().binding.auth_method, AuthMethod::None);
    assert_eq!(fake.requests_to(TOKEN)[0].form()["client_id"], "id");
}

#[tokio::test]
async fn after_a_rejected_resource_the_exchange_is_retried_without_it() {
    let good = Response::json(json!({ "access_token": "t" }));
    for rejection in [
        json!({ "error": "invalid_request", "error_description": "Unknown parameter: 'resource'" }),
        json!({ "error": "unsupported_parameter", "error_description": "resource" }),
    ] {
        let fake = Fake::start().await;
        let responses = [Response::json_with(400, rejection.clone()), good.clone()];
        let grant = exchanged(&fake, responses).await.unwrap();
        assert!(!grant.binding.sends_resource, "refreshes omit it too");
        assert_eq!(grant.binding.resource, fake.at("/mcp"), "the binding keeps the resource");
        let [first, second] = &fake.requests_to(TOKEN)[..] else { panic!("not two requests: {rejection}") };
        assert!(first.form().contains_key("resource") && !second.form().contains_key("resource"));
        assert_eq!(first.form()["code_verifier"], second.form()["code_verifier"]);
    }
    let fake = Fake::start().await;
    let unknown = json!({ "error": "invalid_request", "error_description": "Unknown parameter: 'resource'" });
    let error = exchanged(&fake, [Response::json_with(400, unknown)]).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::ResourceRejected { .. }));
    assert_eq!(fake.requests_to(TOKEN).len(), 2);
    // The server issues no tokens for this resource.
    let fake = Fake::start().await;
    let rejection = Response::json_with(400, json!({ "error": "invalid_target" }));
    let error = exchanged(&fake, [rejection]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidTarget { description: None });
    assert_eq!(fake.requests_to(TOKEN).len(), 1);
    // Other errors cause no retry.
    let fake = Fake::start().await;
    exchanged(&fake, [Response::json_with(400, json!({ "error": "invalid_request" }))]).await.unwrap_err();
    assert_eq!(fake.requests_to(TOKEN).len(), 1);
}

/// Without `resource`, a hostile server could get a token for another service of an honest authorization server.
#[tokio::test]
async fn an_authorization_server_of_another_site_never_gets_a_request_without_the_resource() {
    let fake = Fake::start().await;
    let issuer = fake.origin.replace("127.0.0.1", "localhost");
    let at = |path: &str| format!("{issuer}{path}");
    fake.serve_changed_resource_metadata(json!({ "authorization_servers": [issuer] }));
    let document = json!({
        "issuer": issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "registration_endpoint": at("/register"),
    });
    fake.on(METADATA, Response::json(merged(fake.server_document(), document)));
    for (error, description) in [("invalid_target", ""), ("invalid_request", "unknown parameter resource")] {
        let rejection = json!({ "error": error, "error_description": description });
        fake.on(TOKEN, Response::json_with(400, rejection));
        fake.forget_requests();
        exchange(&http_for(&fake).await, accepted(pending(&fake).await), now()).await.unwrap_err();
        let requests = fake.requests_to(TOKEN);
        assert_eq!(requests.len(), 1, "{error}");
        assert_eq!(requests[0].form()["resource"], fake.at("/mcp"));

        let waiting = pending(&fake).await;
        let raw = callback(&waiting, &format!("error={error}&error_description={description}"));
        let rejected = waiting.accept(parsed(&raw.replace(' ', "+")).unwrap(), now()).unwrap_err();
        assert!(!matches!(rejected.error.kind, ErrorKind::ResourceRejected { .. }), "{error}");
    }
}

/// The issuer is the server's own, but its metadata names the endpoints of another service.
#[tokio::test]
async fn endpoints_of_another_site_never_get_a_request_without_the_resource() {
    let fake = Fake::start().await;
    let other = fake.origin.replace("127.0.0.1", "localhost");
    let at = |path: &str| format!("{other}{path}");
    let endpoints = json!({ "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token") });
    fake.on(METADATA, Response::json(merged(fake.server_document(), endpoints)));
    let unknown = json!({ "error": "invalid_request", "error_description": "unknown parameter resource" });
    fake.on(TOKEN, Response::json_with(400, unknown));
    for has_resource_metadata in [false, true] {
        if has_resource_metadata {
            fake.on(RESOURCE, Response::json(fake.resource_document()));
        }
        fake.forget_requests();
        exchange(&http_for(&fake).await, accepted(pending(&fake).await), now()).await.unwrap_err();
        let requests = fake.requests_to(TOKEN);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].form()["resource"], fake.at("/mcp"));
    }
}

#[tokio::test]
async fn another_client_authentication_method_is_tried_after_a_rejection() {
    let secret = json!({ "client_id": "app", "client_secret": "s" });
    let invalid = || Response::oauth_error(401, "invalid_client");
    let ok = || Response::json(json!({ "access_token": "t" }));
    let cases = [
        (vec![ok()], Ok(AuthMethod::ClientSecretBasic)),
        (vec![invalid(), ok()], Ok(AuthMethod::ClientSecretPost)),
        (vec![Response::text(401, ""), ok()], Ok(AuthMethod::ClientSecretPost)),
        (vec![Response::oauth_error(400, "invalid_request"), ok()], Ok(AuthMethod::ClientSecretPost)),
        (vec![invalid(), invalid()], Err(2)),
        (vec![Response::oauth_error(400, "invalid_grant")], Err(1)),
        (vec![Response::text(503, "")], Err(1)),
    ];
    for (responses, expected) in cases {
        let fake = Fake::start_with_changed_metadata(
            json!({ "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"] }),
        )
        .await;
        fake.on(REGISTER, created(secret.clone())).on_each(TOKEN, responses);
        let registered =
            register_with(&fake, &ClientSettings::default(), &RedirectUri::custom_scheme()).await.unwrap();
        let code = accepted(registered.authorize(&Scopes::default(), now()).unwrap());
        let outcome = exchange(&http_for(&fake).await, code, now()).await;
        let requests = fake.requests_to(TOKEN);
        assert_eq!(requests[0].form()["client_id"], "app", "some servers read it only from the form");
        match expected {
            Ok(method) => assert_eq!(outcome.unwrap().binding.auth_method, method),
            Err(count) => {
                outcome.unwrap_err();
                assert_eq!(requests.len(), count);
            }
        }
    }
}
