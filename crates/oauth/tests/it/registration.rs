//! The choice and registration of a client.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use usher_oauth::{
    AuthMethod, ClientRegistration, ClientSettings, ErrorKind, Issuer, RedirectUri, RegisteredClient,
    RegistrationKind, Step,
};

use crate::support::*;

fn custom_scheme() -> RedirectUri {
    RedirectUri::custom_scheme()
}

async fn registered_by(fake: &Fake, response: Response) -> Result<RegisteredClient, ErrorKind> {
    fake.on(REGISTER, response);
    let registered = register_with(fake, &ClientSettings::default(), &custom_scheme()).await;
    registered.map(|registered| registered.client().clone()).map_err(|error| {
        assert_eq!((error.step, error.host.as_deref()), (Step::Registration, Some(fake.host())));
        error.kind
    })
}

#[tokio::test]
async fn a_native_client_is_registered_with_one_redirect() {
    let fake = Fake::start_with_metadata().await;
    let client =
        registered_by(&fake, created(json!({ "client_id": "app", "client_id_issued_at": 1 }))).await.unwrap();
    let expected = ClientRegistration {
        client_id: "app".into(),
        auth_method: AuthMethod::None,
        redirect_uri: Some(custom_scheme()),
        issuer: Issuer::parse(&fake.origin).unwrap(),
        kind: RegistrationKind::Dynamic,
        secret_expires_at: None,
    };
    assert_eq!(client.registration, expected);
    assert!(client.secret.is_none());
    let body = json!({
        "client_name": "Usher",
        "application_type": "native",
        "redirect_uris": ["dev.usher.desktop:/oauth/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    assert_eq!(fake.requests_to(REGISTER).iter().map(|request| request.json()).collect::<Vec<_>>(), [body]);
}

#[tokio::test]
async fn the_metadata_that_the_server_returns_is_used() {
    let (basic, post, none) = (AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost, AuthMethod::None);
    let secret = || json!({ "client_secret": "s" });
    let with_method = |method: &str| merged(secret(), json!({ "token_endpoint_auth_method": method }));
    let with_expiry = |end: Value| merged(secret(), json!({ "client_secret_expires_at": end }));
    let public_with_method = |method: &str| json!({ "token_endpoint_auth_method": method });
    // (supported methods, requested method, response, resulting method, secret, its expiry)
    let table = [
        (json!(["client_secret_post"]), post, secret(), post, Some("s"), None),
        (json!(["client_secret_basic", "client_secret_post"]), basic, secret(), basic, Some("s"), None),
        (json!(null), none, secret(), basic, Some("s"), None),
        (json!(["none"]), none, secret(), none, Some("s"), None),
        (json!(["none"]), none, with_method("client_secret_post"), post, Some("s"), None),
        (json!(["none", "client_secret_post"]), none, with_method("none"), none, Some("s"), None),
        (json!(["client_secret_basic"]), basic, public_with_method("client_secret_basic"), none, None, None),
        (json!(["private_key_jwt"]), none, with_method("private_key_jwt"), basic, Some("s"), None),
        (json!(["client_secret_post"]), post, with_expiry(json!(0)), post, Some("s"), None),
        (
            json!(["client_secret_post"]),
            post,
            with_expiry(json!("1800000000")),
            post,
            Some("s"),
            Some(1_800_000_000),
        ),
        (json!(["client_secret_post"]), post, json!({ "client_secret": "" }), none, None, None),
    ];
    for (offered, requested, response, method, secret, end) in table {
        let changes = json!({ "token_endpoint_auth_methods_supported": offered });
        let fake = Fake::start_with_changed_metadata(changes).await;
        let response = merged(json!({ "client_id": "app" }), response);
        let client = registered_by(&fake, created(response.clone())).await.unwrap();
        let request = fake.requests_to(REGISTER).remove(0).json();
        assert_eq!(request["token_endpoint_auth_method"], requested.as_str(), "{offered}");
        assert_eq!(client.registration.auth_method, method, "{offered} {response}");
        let received = client.secret.as_ref().map(|secret| secret.expose_secret());
        assert_eq!(received, secret, "{offered} {response}");
        assert_eq!(client.registration.secret_expires_at.map(|at| at.as_second()), end, "{response}");
    }
}

#[tokio::test]
async fn a_rejected_registration_is_retried_once_with_minimal_metadata() {
    let rejection = json!({ "error": "invalid_client_metadata", "error_description": "application_type?" });
    let rejection = Response::json_with(400, rejection);
    for first in [rejection.clone(), Response::text(422, "unknown field")] {
        let fake = Fake::start().await;
        fake.serve_metadata().on_each(REGISTER, [first, created(json!({ "client_id": "app" }))]);
        register_with(&fake, &ClientSettings::default(), &custom_scheme()).await.unwrap();
        let bodies: Vec<_> = fake.requests_to(REGISTER).iter().map(|request| request.json()).collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[1], json!({ "client_name": "Usher", "redirect_uris": [custom_scheme().as_str()] }));
    }
    let fake = Fake::start_with_metadata().await;
    let error = registered_by(&fake, rejection).await.unwrap_err();
    assert_eq!(error, ErrorKind::RegistrationRejected { status: 400, why: Some("application_type?".into()) });
    assert_eq!(fake.requests_to(REGISTER).len(), 2);
}

#[tokio::test]
async fn a_rejected_redirect_is_a_separate_error() {
    let json = |status, body| Response::json_with(status, body);
    let described = |error: &str, description: &str| {
        json(400, json!({ "error": error, "error_description": description }))
    };
    let invalid = "redirect_uris.0: Invalid";
    let table = [
        (json(400, json!({ "error": "invalid_redirect_uri" })), Some("invalid_redirect_uri")),
        (described("invalid_redirect_uri", "no schemes"), Some("no schemes")),
        (described("invalid_client_metadata", invalid), Some(invalid)),
        (json(422, json!({ "message": "Redirect URI must be https" })), Some("Redirect URI must be https")),
        (json(403, json!({ "error": "redirect domain not allowed" })), Some("redirect domain not allowed")),
        (Response::text(400, "bad redirect_uri"), None),
    ];
    for (response, why) in table {
        let fake = Fake::start_with_metadata().await;
        let error = registered_by(&fake, response).await.unwrap_err();
        assert_eq!(error, ErrorKind::RedirectRejected { why: why.map(Into::into) });
        assert_eq!(fake.requests_to(REGISTER).len(), 1, "the same redirect is not tried twice");
    }
    // The server registers a redirect other than the requested one.
    let fake = Fake::start_with_metadata().await;
    let dropped = json!({ "client_id": "app", "redirect_uris": ["https://elsewhere.example/"] });
    let error = registered_by(&fake, created(dropped)).await.unwrap_err();
    assert_eq!(error, ErrorKind::RedirectRejected { why: None });
}

#[tokio::test]
async fn other_registration_errors_are_mapped() {
    let rejected =
        |status, why: Option<&str>| ErrorKind::RegistrationRejected { status, why: why.map(Into::into) };
    let transient = |status, seconds: Option<u64>| ErrorKind::Transient {
        status,
        retry_after: seconds.map(Duration::from_secs),
    };
    let forbidden = json!({ "error": "forbidden", "message": "Client not allowed" });
    let malformed = ErrorKind::Malformed { what: "it has no client ID".into() };
    let table = [
        (Response::json_with(403, forbidden), rejected(403, Some("Client not allowed"))),
        (Response::new(403, "text/html", "<p>no"), rejected(403, None)),
        (Response::text(404, ""), ErrorKind::RegistrationUnsupported),
        (Response::text(405, ""), ErrorKind::RegistrationUnsupported),
        (Response::text(503, ""), transient(503, None)),
        (Response::text(429, "").with("retry-after", "60"), transient(429, Some(60))),
        (Response::new(200, "text/html", "<p>hello"), ErrorKind::NotJson),
        (Response::json(json!({ "error": "server_error" })), rejected(200, Some("server_error"))),
        (Response::json(json!({ "client_id": 7 })), malformed),
    ];
    for (response, expected) in table {
        let fake = Fake::start_with_metadata().await;
        assert_eq!(registered_by(&fake, response).await.unwrap_err(), expected);
        assert_eq!(fake.requests_to(REGISTER).len(), 1);
    }
}

#[tokio::test]
async fn a_server_without_registration_endpoint_needs_a_client_id() {
    let fake = Fake::start_with_changed_metadata(json!({ "registration_endpoint": null })).await;
    let error = register_with(&fake, &ClientSettings::default(), &custom_scheme()).await.unwrap_err();
    assert_eq!((error.step, error.kind), (Step::Registration, ErrorKind::RegistrationUnsupported));
}

#[tokio::test]
async fn a_pre_registered_client_is_preferred() {
    let table = [
        (None, json!(["client_secret_basic"]), AuthMethod::None),
        (Some("s"), json!(["client_secret_basic"]), AuthMethod::ClientSecretBasic),
        (Some("s"), json!(["client_secret_post"]), AuthMethod::ClientSecretPost),
        (Some("s"), json!(["client_secret_post", "client_secret_basic"]), AuthMethod::ClientSecretBasic),
        (Some("s"), json!(null), AuthMethod::ClientSecretBasic),
    ];
    for (secret, offered, method) in table {
        let changes = json!({
            "token_endpoint_auth_methods_supported": offered, "client_id_metadata_document_supported": true,
        });
        let fake = Fake::start_with_changed_metadata(changes).await;
        let settings = ClientSettings {
            client_id: Some("mine".into()),
            client_secret: secret.map(Into::into),
            metadata_document: Some("https://usher.example/client.json".parse().unwrap()),
            ..Default::default()
        };
        let registered = register_with(&fake, &settings, &custom_scheme()).await.unwrap();
        let registration = &registered.client().registration;
        assert_eq!(registration.client_id, "mine");
        assert_eq!((registration.kind, registration.auth_method), (RegistrationKind::PreRegistered, method));
        assert!(fake.requests_to(REGISTER).is_empty());
    }
}

#[tokio::test]
async fn a_pinned_client_is_used_only_with_its_issuer() {
    let fake = Fake::start_with_metadata().await;
    let elsewhere = Some(Issuer::parse("https://elsewhere.example").unwrap());
    let settings = ClientSettings { client_id: Some("mine".into()), issuer: elsewhere, ..Default::default() };
    let error = register_with(&fake, &settings, &custom_scheme()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }));
    let here = Some(Issuer::parse(&fake.origin).unwrap());
    let settings = ClientSettings { issuer: here, ..settings };
    register_with(&fake, &settings, &custom_scheme()).await.unwrap();
}

#[tokio::test]
async fn the_metadata_document_is_used_if_the_server_supports_it() {
    let document = "https://usher.example/client.json";
    for (supported, expected) in [(true, document), (false, "app")] {
        let changes = json!({ "client_id_metadata_document_supported": supported });
        let fake = Fake::start_with_changed_metadata(changes).await;
        fake.on(REGISTER, created(json!({ "client_id": "app" })));
        let settings =
            ClientSettings { metadata_document: Some(document.parse().unwrap()), ..Default::default() };
        let registered = register_with(&fake, &settings, &custom_scheme()).await.unwrap();
        assert_eq!(registered.client().registration.client_id, expected);
        assert_eq!(fake.requests_to(REGISTER).len(), usize::from(!supported));
    }
}

#[tokio::test]
async fn a_known_client_is_reused_only_if_it_is_still_valid() {
    let fake = Fake::start_with_response(REGISTER, created(json!({ "client_id": "new" }))).await;
    let valid = RegisteredClient {
        registration: ClientRegistration {
            client_id: "known".into(),
            auth_method: AuthMethod::ClientSecretPost,
            redirect_uri: Some(custom_scheme()),
            issuer: Issuer::parse(&fake.origin).unwrap(),
            kind: RegistrationKind::Dynamic,
            secret_expires_at: Some(now_plus(3600)),
        },
        secret: Some("s".into()),
    };
    let with = |change: &dyn Fn(&mut RegisteredClient)| {
        let mut client = valid.clone();
        change(&mut client);
        client
    };
    let table = [
        (valid.clone(), "known"),
        (with(&|client| client.registration.secret_expires_at = None), "known"),
        (with(&|client| client.registration.auth_method = AuthMethod::None), "known"),
        (with(&|client| client.registration.issuer = Issuer::parse("https://old.example").unwrap()), "new"),
        (with(&|client| client.registration.redirect_uri = Some(RedirectUri::loopback(1))), "new"),
        (with(&|client| client.registration.secret_expires_at = Some(now_plus(60))), "new"),
        (with(&|client| client.secret = None), "new"),
        (with(&|client| client.registration.kind = RegistrationKind::PreRegistered), "new"),
        (with(&|client| client.registration.kind = RegistrationKind::MetadataDocument), "new"),
    ];
    let found = discovered(&fake).await;
    for (known, expected) in table {
        let registered =
            register_at(&fake, found.clone(), &ClientSettings::default(), Some(known.clone())).await;
        assert_eq!(registered.client().registration.client_id, expected, "{known:?}");
    }
}
