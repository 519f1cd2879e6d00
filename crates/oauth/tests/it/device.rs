//! The device authorization grant (RFC 8628).

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;
use usher_oauth::{
    AuthMethod, ClientSettings, DeviceAuthorization, Error, ErrorKind, Flow, Grant, RegistrationRequest,
    Scopes, Step,
};

use crate::support::*;

const DEVICE: &str = "POST /device_authorization";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn device_settings() -> ClientSettings {
    ClientSettings { flow: Flow::Device, ..Default::default() }
}

/// Metadata that names the endpoint but no PKCE, which this grant does not use.
fn device_metadata(fake: &Fake) -> Value {
    json!({
        "device_authorization_endpoint": fake.at("/device_authorization"),
        "code_challenge_methods_supported": null,
    })
}

fn codes(fake: &Fake) -> Value {
    json!({
        "device_code": "the-device-code", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 5,
        "verification_uri": fake.at("/device"), "verification_uri_complete": fake.at("/device?user_code=WDJB-MJHT"),
    })
}

async fn fake_with(changes: Value) -> Fake {
    let fake = Fake::start().await;
    fake.serve_changed_metadata(merged(device_metadata(&fake), changes));
    fake.on(REGISTER, created(json!({ "client_id": "app" })));
    fake.on(DEVICE, Response::json(codes(&fake)));
    fake
}

async fn started_with(fake: &Fake, settings: &ClientSettings) -> Result<DeviceAuthorization, Error> {
    let http = http_for(fake).await;
    let extra = Scopes::default();
    let request = RegistrationRequest { settings, redirect: None, extra_scopes: &extra, known: None };
    let registered = discover_with(fake, None, settings).await?.register(&http, request, now()).await?;
    registered.authorize_device(&http, settings, &extra, now()).await
}

async fn started(fake: &Fake) -> DeviceAuthorization {
    started_with(fake, &device_settings()).await.unwrap()
}

/// Requests codes from an endpoint in the settings, with these changes in the response.
async fn started_with_codes(changes: Value) -> Result<DeviceAuthorization, ErrorKind> {
    let fake = fake_with(json!({})).await;
    fake.on(DEVICE, Response::json(merged(codes(&fake), changes)));
    let endpoint = Some(Url::parse(&fake.at("/device_authorization")).unwrap());
    let settings = ClientSettings { device_authorization_endpoint: endpoint, ..device_settings() };
    started_with(&fake, &settings).await.map_err(|error| error.kind)
}

async fn polled(fake: &Fake, device: &mut DeviceAuthorization) -> Result<Option<Grant>, Error> {
    device.poll(&http_for(fake).await, now()).await
}

#[tokio::test]
async fn the_client_registers_for_the_grant_and_the_person_gets_the_code() {
    let fake = fake_with(json!({ "scopes_supported": ["offline_access"] })).await;
    let settings = ClientSettings { scopes: Some(Scopes::parse("a b")), ..device_settings() };
    let device = started_with(&fake, &settings).await.unwrap();
    let registration = fake.requests_to(REGISTER)[0].json();
    assert_eq!(registration["grant_types"], json!([GRANT_TYPE, "refresh_token"]));
    assert_eq!((&registration["response_types"], &registration["redirect_uris"]), (&json!([]), &Value::Null));
    let expected = [("client_id", "app"), ("scope", "a b offline_access"), ("resource", &fake.at("/mcp"))];
    let form = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(fake.requests_to(DEVICE)[0].form(), form);
    assert_eq!(device.user_code(), "WDJB-MJHT");
    assert_eq!(device.verification_uri().as_str(), fake.at("/device"));
    let complete = device.verification_uri_complete().unwrap().as_str();
    assert_eq!(complete, fake.at("/device?user_code=WDJB-MJHT"));
    assert_eq!(device.expires_at(), now_plus(600));
    assert_eq!(device.next_poll(now()).unwrap(), Duration::from_secs(6), "also before the first poll");
}

#[tokio::test]
async fn the_further_parameters_of_the_settings_are_sent() {
    let fake = fake_with(json!({})).await;
    let parameters = vec![("organization".to_owned(), "acme".to_owned())];
    started_with(&fake, &ClientSettings { parameters, ..device_settings() }).await.unwrap();
    assert_eq!(fake.requests_to(DEVICE)[0].form()["organization"], "acme");
}

#[tokio::test]
async fn the_grant_comes_when_the_person_has_approved() {
    let fake = fake_with(json!({})).await;
    let tokens = json!({ "access_token": "t", "refresh_token": "r", "expires_in": 60 });
    let mut device = started(&fake).await;
    fake.on_each(TOKEN, [Response::oauth_error(400, "authorization_pending"), Response::json(tokens)]);
    assert!(polled(&fake, &mut device).await.unwrap().is_none());
    let grant = polled(&fake, &mut device).await.unwrap().unwrap();
    assert_eq!((grant.access_token.expose(), grant.expires_at), ("t", Some(now_plus(60))));
    assert_eq!(grant.binding, device.binding());
    let expected = [
        ("grant_type", GRANT_TYPE),
        ("device_code", "the-device-code"),
        ("client_id", "app"),
        ("resource", &fake.at("/mcp")),
    ];
    let form = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(fake.requests_to(TOKEN)[0].form(), form);
}

#[tokio::test]
async fn each_answer_to_a_poll_has_its_consequence() {
    let json = |status, body: Value| Response::json_with(status, body);
    let error = |error: &str| Response::oauth_error(400, error);
    let other = |error: &str| ErrorKind::TokenError { error: error.to_owned(), description: None };
    let goes_on = |seconds| Ok(Duration::from_secs(seconds));
    let table = [
        (error("authorization_pending"), goes_on(6)),
        // GitHub reports errors with the status of a success.
        (json(200, json!({ "error": "authorization_pending" })), goes_on(6)),
        (json(200, json!({ "error": "slow_down", "interval": 17 })), goes_on(18)),
        // Google.
        (Response::oauth_error(428, "authorization_pending"), goes_on(6)),
        (Response::oauth_error(403, "slow_down"), goes_on(11)),
        (error("slow_down"), goes_on(11)),
        (json(400, json!({ "error": "slow_down", "interval": "9" })), goes_on(11)),
        // WSO2.
        (error("invalid_grant"), goes_on(6)),
        // Outages, rate limits and captive portals pass.
        (Response::text(503, ""), goes_on(11)),
        (Response::text(429, "").with("retry-after", "20"), goes_on(21)),
        (Response::html_page(200), goes_on(11)),
        (error("access_denied"), Err(ErrorKind::Denied)),
        (error("authorization_declined"), Err(ErrorKind::Denied)),
        (error("expired_token"), Err(ErrorKind::Expired)),
        (error("bad_verification_code"), Err(other("bad_verification_code"))),
        (error("unauthorized_client"), Err(other("unauthorized_client"))),
        (Response::oauth_error(401, "invalid_client"), Err(ErrorKind::InvalidClient { description: None })),
        (
            json(200, json!({ "token_type": "Bearer" })),
            Err(ErrorKind::Malformed { what: "it has no access token".into() }),
        ),
    ];
    for (response, expected) in table {
        let fake = fake_with(json!({})).await;
        let mut device = started(&fake).await;
        fake.on(TOKEN, response.clone());
        let outcome = polled(&fake, &mut device).await.map(|grant| assert!(grant.is_none()));
        let outcome = outcome.map(|()| device.next_poll(now()).unwrap()).map_err(|error| {
            assert_eq!((error.step, error.host.as_deref()), (Step::TokenExchange, Some("127.0.0.1")));
            error.kind
        });
        assert_eq!(outcome, expected, "{response:?}");
    }
}

#[tokio::test]
async fn the_own_deadline_ends_the_polls() {
    let fake = fake_with(json!({})).await;
    let mut device = started(&fake).await;
    assert_eq!(device.next_poll(now_plus(598)).unwrap(), Duration::from_secs(2));
    assert_eq!(device.next_poll(now_plus(600)).unwrap_err().kind, ErrorKind::Expired);
    let error = device.poll(&http_for(&fake).await, now_plus(600)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Expired);
    assert!(fake.requests_to(TOKEN).is_empty());
}

#[tokio::test]
async fn unusual_codes_are_read_and_misleading_ones_are_refused() {
    let device = started_with_codes(json!({ "expires_in": "1800", "interval": "2" })).await.unwrap();
    assert_eq!(
        (device.expires_at(), device.next_poll(now()).unwrap()),
        (now_plus(1800), Duration::from_secs(3))
    );
    let device = started_with_codes(json!({ "expires_in": null, "interval": null })).await.unwrap();
    assert_eq!(
        (device.expires_at(), device.next_poll(now()).unwrap()),
        (now_plus(300), Duration::from_secs(6))
    );
    let device = started_with_codes(json!({ "expires_in": 1e12, "interval": 1e12 })).await.unwrap();
    assert_eq!(
        (device.expires_at(), device.next_poll(now()).unwrap()),
        (now_plus(3600), Duration::from_secs(61))
    );
    // Google's names.
    let page = "https://www.google.com/device";
    let changes =
        json!({ "verification_uri": null, "verification_url": page, "verification_uri_complete": null });
    let device = started_with_codes(changes).await.unwrap();
    assert_eq!((device.verification_uri().as_str(), device.verification_uri_complete()), (page, None));
    for complete in ["javascript:alert(1)", "https://elsewhere.example/device", "http://example.com/"] {
        let changes = json!({ "verification_uri": page, "verification_uri_complete": complete });
        let device = started_with_codes(changes).await.unwrap();
        assert_eq!(device.verification_uri_complete(), None, "{complete}");
    }
    for address in ["javascript:alert(1)", "http://example.com/device", "file:///x", "https://a@b.example/"] {
        let error = started_with_codes(json!({ "verification_uri": address })).await.unwrap_err();
        assert!(matches!(error, ErrorKind::BadEndpoint { .. }), "{address}: {error:?}");
    }
    let long = "x".repeat(40_000);
    for (name, value) in [
        ("device_code", json!(null)),
        ("device_code", json!(long)),
        ("device_code", json!("a\nb")),
        ("user_code", json!(null)),
        ("user_code", json!(7)),
        ("user_code", json!("A".repeat(65))),
        ("user_code", json!("AB\u{202e}CD")),
        ("user_code", json!("AB\nCD")),
        ("verification_uri", json!(null)),
    ] {
        let error = started_with_codes(json!({ name: value })).await.unwrap_err();
        assert!(matches!(error, ErrorKind::Malformed { .. }), "{name}: {error:?}");
    }
}

/// The authorization server could have requested the code at the other service, for itself.
#[tokio::test]
async fn a_page_of_another_site_is_refused() {
    let fake = fake_with(json!({})).await;
    let changes = json!({ "verification_uri": "https://github.com/login/device" });
    fake.on(DEVICE, Response::json(merged(codes(&fake), changes)));
    let error = started_with(&fake, &device_settings()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::BadEndpoint { .. }), "{error:?}");
}

#[tokio::test]
async fn the_grant_is_offered_only_if_the_metadata_supports_it() {
    let settings = device_settings();
    let offers = async |changes: Value| {
        let fake = fake_with(changes).await;
        let offers = discovered_for_device(&fake).await.offers_device_authorization(&settings);
        let outcome = started_with(&fake, &settings).await;
        assert_eq!(outcome.is_ok(), offers);
        if let Err(error) = outcome {
            assert_eq!(error.kind, ErrorKind::DeviceUnsupported);
        }
        offers
    };
    assert!(offers(json!({})).await);
    assert!(offers(json!({ "grant_types_supported": ["refresh_token", GRANT_TYPE] })).await);
    assert!(!offers(json!({ "grant_types_supported": ["authorization_code"] })).await);
    assert!(!offers(json!({ "device_authorization_endpoint": null })).await);
    // The token endpoint would get the device code of another service.
    assert!(
        !offers(json!({ "device_authorization_endpoint": "https://github.com/login/device/code" })).await
    );
}

async fn discovered_for_device(fake: &Fake) -> usher_oauth::Discovered {
    discover_with(fake, None, &device_settings()).await.unwrap()
}

#[tokio::test]
async fn the_endpoint_in_the_settings_replaces_that_of_the_metadata() {
    let fake = fake_with(json!({ "device_authorization_endpoint": null })).await;
    fake.on("POST /codes", Response::json(codes(&fake)));
    let endpoint = Url::parse(&fake.at("/codes")).unwrap();
    let settings = ClientSettings { device_authorization_endpoint: Some(endpoint), ..device_settings() };
    started_with(&fake, &settings).await.unwrap();
    assert_eq!(fake.requests_to("POST /codes").len(), 1);
}

#[tokio::test]
async fn a_client_of_this_grant_cannot_use_the_browser() {
    let fake = fake_with(json!({ "code_challenge_methods_supported": ["S256"] })).await;
    let (http, settings, extra) = (http_for(&fake).await, device_settings(), Scopes::default());
    let request =
        RegistrationRequest { settings: &settings, redirect: None, extra_scopes: &extra, known: None };
    let registered = discovered_for_device(&fake).await.register(&http, request, now()).await.unwrap();
    assert_eq!(registered.client().registration.redirect_uri, None);
    let error = registered.authorize(&extra, now()).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::BadRedirectUri { .. }), "{error:?}");
}

#[tokio::test]
async fn a_registration_that_requires_a_redirect_gets_one() {
    let fake = fake_with(json!({})).await;
    let missing = json!({ "error": "invalid_redirect_uri" });
    fake.on_each(REGISTER, [Response::json_with(400, missing), created(json!({ "client_id": "app" }))]);
    started(&fake).await;
    let second = fake.requests_to(REGISTER)[1].json();
    assert_eq!(second["redirect_uris"], json!(["http://127.0.0.1/oauth/callback"]));
    assert_eq!(second["grant_types"], json!([GRANT_TYPE, "authorization_code", "refresh_token"]));
    // After another rejection, the grant type is still requested.
    let fake = fake_with(json!({})).await;
    let unknown = json!({ "error": "invalid_client_metadata" });
    fake.on_each(REGISTER, [Response::json_with(400, unknown), created(json!({ "client_id": "app" }))]);
    started(&fake).await;
    let second = fake.requests_to(REGISTER)[1].json();
    assert_eq!(second, json!({ "client_name": "Usher", "grant_types": [GRANT_TYPE, "refresh_token"] }));
}

#[tokio::test]
async fn a_confidential_client_authenticates_and_tries_the_other_method() {
    let fake = fake_with(json!({})).await;
    let rejected = Response::oauth_error(401, "invalid_client");
    fake.on_each(DEVICE, [rejected.clone(), Response::json(codes(&fake))]);
    let settings = ClientSettings {
        client_id: Some("id".into()),
        client_secret: Some("a-secret".into()),
        ..device_settings()
    };
    let device = started_with(&fake, &settings).await.unwrap();
    let [basic, post] = &fake.requests_to(DEVICE)[..] else { panic!("not two requests") };
    assert!(basic.authorization().starts_with("Basic ") && !basic.form().contains_key("client_secret"));
    assert_eq!(post.form()["client_secret"], "a-secret");
    assert_eq!(device.client().registration.auth_method, AuthMethod::ClientSecretPost);
    fake.on(DEVICE, rejected);
    let error = started_with(&fake, &settings).await.unwrap_err();
    assert!(error.is_registration_lost(), "{error:?}");
}

#[tokio::test]
async fn the_polls_keep_the_method_that_the_token_endpoint_accepts() {
    let fake = fake_with(json!({})).await;
    let settings = ClientSettings {
        client_id: Some("id".into()),
        client_secret: Some("a-secret".into()),
        ..device_settings()
    };
    let mut device = started_with(&fake, &settings).await.unwrap();
    let pending = Response::oauth_error(400, "authorization_pending");
    fake.on_each(TOKEN, [Response::oauth_error(401, "invalid_client"), pending.clone(), pending]);
    for requests in [2, 3] {
        assert!(polled(&fake, &mut device).await.unwrap().is_none());
        assert_eq!(fake.requests_to(TOKEN).len(), requests);
    }
}

#[tokio::test]
async fn errors_of_the_device_authorization_endpoint_are_reported() {
    let table = [
        (
            Response::json_with(200, json!({ "error": "device_flow_disabled" })),
            ErrorKind::TokenError { error: "device_flow_disabled".into(), description: None },
        ),
        (
            Response::oauth_error(400, "unauthorized_client"),
            ErrorKind::TokenError { error: "unauthorized_client".into(), description: None },
        ),
        (Response::text(404, ""), ErrorKind::Status(404)),
        (Response::text(503, ""), ErrorKind::Transient { status: 503, retry_after: None }),
        (Response::html_page(200), ErrorKind::NotJson),
    ];
    for (response, expected) in table {
        let fake = fake_with(json!({})).await;
        fake.on(DEVICE, response);
        let error = started_with(&fake, &device_settings()).await.unwrap_err();
        assert_eq!((error.step, error.kind), (Step::Authorization, expected));
    }
}

#[tokio::test]
async fn a_request_survives_a_restart() {
    let fake = fake_with(json!({})).await;
    let mut device = started(&fake).await;
    fake.on(TOKEN, Response::oauth_error(400, "slow_down"));
    polled(&fake, &mut device).await.unwrap();
    let mut restored = DeviceAuthorization::from_secret(&device.to_secret()).unwrap();
    assert_eq!(restored.user_code(), device.user_code());
    assert_eq!(restored.verification_uri(), device.verification_uri());
    assert_eq!(restored.verification_uri_complete(), device.verification_uri_complete());
    assert_eq!((restored.expires_at(), restored.binding()), (device.expires_at(), device.binding()));
    assert_eq!(restored.next_poll(now()).unwrap(), Duration::from_secs(11), "slow_down stays in force");
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    assert!(polled(&fake, &mut restored).await.unwrap().is_some());
    // The two kinds of pending requests are told apart.
    let browser = pending(&Fake::start_with_metadata().await).await;
    assert!(DeviceAuthorization::from_secret(&browser.to_secret()).is_none());
    assert!(usher_oauth::PendingAuthorization::from_secret(&device.to_secret()).is_none());
}
