//! The choice and registration of a client.

use secrecy::ExposeSecret;
use serde_json::json;
use usher_oauth::{
    AuthMethod, ClientRegistration, ClientSettings, ErrorKind, Issuer, RedirectUri, RegisteredClient,
    RegistrationKind, RegistrationRequest, Step,
};

use crate::support::{Answer, Fake, discovered, http_for, later, now, register_with};

const REGISTER: &str = "POST /register";

fn custom_scheme() -> RedirectUri {
    RedirectUri::custom_scheme()
}

async fn registered_by(fake: &Fake, answer: Answer) -> Result<RegisteredClient, ErrorKind> {
    fake.on(REGISTER, answer);
    let registered = register_with(fake, &ClientSettings::default(), &custom_scheme()).await;
    registered.map(|registered| registered.client().clone()).map_err(|error| {
        assert_eq!((error.step, error.host.as_deref()), (Step::Registration, Some(fake.host())));
        error.kind
    })
}

fn created(body: serde_json::Value) -> Answer {
    Answer::json_with(201, body)
}

#[tokio::test]
async fn registers_a_native_client_with_one_redirect() {
    let fake = Fake::start().await;
    fake.with_documents();
    let client =
        registered_by(&fake, created(json!({ "client_id": "app", "client_id_issued_at": 1 }))).await.unwrap();
    let expected = ClientRegistration {
        client_id: "app".into(),
        auth_method: AuthMethod::None,
        redirect_uri: custom_scheme(),
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
    assert_eq!(fake.seen(REGISTER).iter().map(|seen| seen.json()).collect::<Vec<_>>(), [body]);
}

#[tokio::test]
async fn uses_the_metadata_that_the_server_returns() {
    let (basic, post, none) = (AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost, AuthMethod::None);
    // (supported methods, requested method, response, resulting method, secret, its expiry)
    let table = [
        (json!(["client_secret_post"]), post, json!({ "client_secret": "s" }), post, Some("s"), None),
        (
            json!(["client_secret_basic", "client_secret_post"]),
            basic,
            json!({ "client_secret": "s" }),
            basic,
            Some("s"),
            None,
        ),
        (json!(null), none, json!({ "client_secret": "s" }), basic, Some("s"), None),
        (json!(["none"]), none, json!({ "client_secret": "s" }), none, None, None),
        (
            json!(["none"]),
            none,
            json!({ "client_secret": "s", "token_endpoint_auth_method": "client_secret_post" }),
            post,
            Some("s"),
            None,
        ),
        (
            json!(["none", "client_secret_post"]),
            none,
            json!({ "client_secret": "s", "token_endpoint_auth_method": "none" }),
            none,
            None,
            None,
        ),
        (
            json!(["client_secret_basic"]),
            basic,
            json!({ "token_endpoint_auth_method": "client_secret_basic" }),
            none,
            None,
            None,
        ),
        (
            json!(["private_key_jwt"]),
            none,
            json!({ "client_secret": "s", "token_endpoint_auth_method": "private_key_jwt" }),
            basic,
            Some("s"),
            None,
        ),
        (
            json!(["client_secret_post"]),
            post,
            json!({ "client_secret": "s", "client_secret_expires_at": 0 }),
            post,
            Some("s"),
            None,
        ),
        (
            json!(["client_secret_post"]),
            post,
            json!({ "client_secret": "s", "client_secret_expires_at": "1800000000" }),
            post,
            Some("s"),
            Some(1_800_000_000),
        ),
        (json!(["client_secret_post"]), post, json!({ "client_secret": "" }), none, None, None),
    ];
    for (offered, requested, answer, method, secret, end) in table {
        let fake = Fake::start().await;
        fake.with_server_document(json!({ "token_endpoint_auth_methods_supported": offered }));
        let answer = crate::support::merged(json!({ "client_id": "app" }), answer);
        let client = registered_by(&fake, created(answer.clone())).await.unwrap();
        assert_eq!(
            fake.seen(REGISTER)[0].json()["token_endpoint_auth_method"],
            requested.as_str(),
            "{offered}"
        );
        assert_eq!(client.registration.auth_method, method, "{offered} {answer}");
        assert_eq!(client.secret.as_ref().map(|secret| secret.expose_secret()), secret, "{offered} {answer}");
        assert_eq!(client.registration.secret_expires_at.map(|at| at.as_second()), end, "{answer}");
    }
}

#[tokio::test]
async fn a_rejected_registration_is_retried_once_with_minimal_metadata() {
    let rejection = Answer::json_with(
        400,
        json!({ "error": "invalid_client_metadata", "error_description": "application_type?" }),
    );
    for first in [rejection.clone(), Answer::new(422, "text/plain", "unknown field")] {
        let fake = Fake::start().await;
        fake.with_documents().on_each(REGISTER, [first, created(json!({ "client_id": "app" }))]);
        register_with(&fake, &ClientSettings::default(), &custom_scheme()).await.unwrap();
        let bodies: Vec<_> = fake.seen(REGISTER).iter().map(|seen| seen.json()).collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[1], json!({ "client_name": "Usher", "redirect_uris": [custom_scheme().as_str()] }));
    }
    let fake = Fake::start().await;
    fake.with_documents();
    let error = registered_by(&fake, rejection).await.unwrap_err();
    assert_eq!(error, ErrorKind::RegistrationRejected { status: 400, why: Some("application_type?".into()) });
    assert_eq!(fake.seen(REGISTER).len(), 2);
}

#[tokio::test]
async fn a_rejected_redirect_is_a_separate_error() {
    let json = |status, body| Answer::json_with(status, body);
    let table = [
        (json(400, json!({ "error": "invalid_redirect_uri" })), Some("invalid_redirect_uri")),
        (
            json(400, json!({ "error": "invalid_redirect_uri", "error_description": "no schemes" })),
            Some("no schemes"),
        ),
        (
            json(
                400,
                json!({ "error": "invalid_client_metadata", "error_description": "redirect_uris.0: Invalid" }),
            ),
            Some("redirect_uris.0: Invalid"),
        ),
        (json(422, json!({ "message": "Redirect URI must be https" })), Some("Redirect URI must be https")),
        (json(403, json!({ "error": "redirect domain not allowed" })), Some("redirect domain not allowed")),
        (Answer::new(400, "text/plain", "bad redirect_uri"), None),
    ];
    for (answer, why) in table {
        let fake = Fake::start().await;
        fake.with_documents();
        let error = registered_by(&fake, answer).await.unwrap_err();
        assert_eq!(error, ErrorKind::RedirectRejected { why: why.map(Into::into) });
        assert_eq!(fake.seen(REGISTER).len(), 1, "the same redirect is not tried twice");
    }
    // Registered with another redirect than requested.
    let fake = Fake::start().await;
    fake.with_documents();
    let dropped = json!({ "client_id": "app", "redirect_uris": ["https://elsewhere.example/"] });
    assert_eq!(
        registered_by(&fake, created(dropped)).await.unwrap_err(),
        ErrorKind::RedirectRejected { why: None }
    );
}

#[tokio::test]
async fn other_registration_errors() {
    let rejected =
        |status, why: Option<&str>| ErrorKind::RegistrationRejected { status, why: why.map(Into::into) };
    let table = [
        (
            Answer::json_with(403, json!({ "error": "forbidden", "message": "Client not allowed" })),
            rejected(403, Some("Client not allowed")),
            1,
        ),
        (Answer::new(403, "text/html", "<p>no"), rejected(403, None), 1),
        (Answer::new(404, "text/plain", ""), ErrorKind::RegistrationUnsupported, 1),
        (Answer::new(405, "text/plain", ""), ErrorKind::RegistrationUnsupported, 1),
        (Answer::new(503, "text/plain", ""), ErrorKind::Transient { status: 503, retry_after: None }, 1),
        (
            Answer::new(429, "text/plain", "").with("retry-after", "60"),
            ErrorKind::Transient { status: 429, retry_after: Some(std::time::Duration::from_secs(60)) },
            1,
        ),
        (Answer::new(200, "text/html", "<p>hello"), ErrorKind::NotJson, 1),
        (Answer::json(json!({ "error": "server_error" })), rejected(200, Some("server_error")), 1),
        (
            Answer::json(json!({ "client_id": 7 })),
            ErrorKind::Malformed { what: "it has no client ID".into() },
            1,
        ),
    ];
    for (answer, expected, requests) in table {
        let fake = Fake::start().await;
        fake.with_documents();
        assert_eq!(registered_by(&fake, answer).await.unwrap_err(), expected);
        assert_eq!(fake.seen(REGISTER).len(), requests);
    }
}

#[tokio::test]
async fn a_server_without_registration_endpoint_needs_a_client_id() {
    let fake = Fake::start().await;
    fake.with_server_document(json!({ "registration_endpoint": null }));
    let error = register_with(&fake, &ClientSettings::default(), &custom_scheme()).await.unwrap_err();
    assert_eq!((error.step, error.kind), (Step::Registration, ErrorKind::RegistrationUnsupported));
}

#[tokio::test]
async fn a_configured_client_comes_first() {
    let table = [
        (None, json!(["client_secret_basic"]), AuthMethod::None),
        (Some("s"), json!(["client_secret_basic"]), AuthMethod::ClientSecretBasic),
        (Some("s"), json!(["client_secret_post"]), AuthMethod::ClientSecretPost),
        (Some("s"), json!(["client_secret_post", "client_secret_basic"]), AuthMethod::ClientSecretBasic),
        (Some("s"), json!(null), AuthMethod::ClientSecretBasic),
    ];
    for (secret, offered, method) in table {
        let fake = Fake::start().await;
        fake.with_server_document(json!({
            "token_endpoint_auth_methods_supported": offered, "client_id_metadata_document_supported": true,
        }));
        let settings = ClientSettings {
            client_id: Some("mine".into()),
            client_secret: secret.map(Into::into),
            metadata_document: Some("https://usher.example/client.json".parse().unwrap()),
            ..Default::default()
        };
        let registered = register_with(&fake, &settings, &custom_scheme()).await.unwrap();
        let registration = &registered.client().registration;
        assert_eq!(
            (registration.client_id.as_str(), registration.kind),
            ("mine", RegistrationKind::PreRegistered)
        );
        assert_eq!(registration.auth_method, method);
        assert!(fake.seen(REGISTER).is_empty());
    }
}

#[tokio::test]
async fn a_pinned_client_is_used_only_with_its_issuer() {
    let fake = Fake::start().await;
    fake.with_documents();
    let elsewhere = Some(Issuer::parse("https://elsewhere.example").unwrap());
    let settings = ClientSettings { client_id: Some("mine".into()), issuer: elsewhere, ..Default::default() };
    let error = register_with(&fake, &settings, &custom_scheme()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }));
    let here = Some(Issuer::parse(&fake.origin).unwrap());
    let settings = ClientSettings { issuer: here, ..settings };
    register_with(&fake, &settings, &custom_scheme()).await.unwrap();
}

#[tokio::test]
async fn then_the_metadata_document_if_supported() {
    let document = "https://usher.example/client.json";
    for (supported, expected) in [(true, document), (false, "app")] {
        let fake = Fake::start().await;
        fake.with_server_document(json!({ "client_id_metadata_document_supported": supported }));
        fake.on(REGISTER, created(json!({ "client_id": "app" })));
        let settings =
            ClientSettings { metadata_document: Some(document.parse().unwrap()), ..Default::default() };
        let registered = register_with(&fake, &settings, &custom_scheme()).await.unwrap();
        assert_eq!(registered.client().registration.client_id, expected);
        assert_eq!(fake.seen(REGISTER).len(), usize::from(!supported));
    }
}

#[tokio::test]
async fn a_known_client_is_reused_only_if_it_is_still_valid() {
    let fake = Fake::start().await;
    fake.with_documents().on(REGISTER, created(json!({ "client_id": "new" })));
    let valid = RegisteredClient {
        registration: ClientRegistration {
            client_id: "known".into(),
            auth_method: AuthMethod::ClientSecretPost,
            redirect_uri: custom_scheme(),
            issuer: Issuer::parse(&fake.origin).unwrap(),
            kind: RegistrationKind::Dynamic,
            secret_expires_at: Some(later(3600)),
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
        (with(&|client| client.registration.redirect_uri = RedirectUri::loopback(1)), "new"),
        (with(&|client| client.registration.secret_expires_at = Some(later(60))), "new"),
        (with(&|client| client.secret = None), "new"),
        (with(&|client| client.registration.kind = RegistrationKind::PreRegistered), "new"),
        (with(&|client| client.registration.kind = RegistrationKind::MetadataDocument), "new"),
    ];
    let (http, found) = (http_for(&fake).await, discovered(&fake).await);
    for (known, expected) in table {
        let (settings, redirect) = (ClientSettings::default(), custom_scheme());
        let request =
            RegistrationRequest { settings: &settings, redirect: &redirect, known: Some(known.clone()) };
        let registered = found.clone().register(&http, request, now()).await.unwrap();
        assert_eq!(registered.client().registration.client_id, expected, "{known:?}");
    }
}
