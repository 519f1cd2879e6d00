//! Deviations in discovery, registration, authorization and code exchange.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use usher_fake_service::{FakeService, Reply, Request};

use crate::person::{Person, reported, service};

/// A service to which a person can sign in.
struct Row {
    name: &'static str,
    change: fn(&FakeService),
    /// The number of sign-ins that end with an error before one succeeds.
    failures: usize,
}

const fn row(name: &'static str, change: fn(&FakeService)) -> Row {
    Row { name, change, failures: 0 }
}

const RESOURCE: &str = "GET /.well-known/oauth-protected-resource/mcp";
const ROOT_RESOURCE: &str = "GET /.well-known/oauth-protected-resource";
const METADATA: &str = "GET /.well-known/oauth-authorization-server";
const OPENID: &str = "GET /.well-known/openid-configuration";
const BOTH: [&str; 2] = ["client_secret_post", "client_secret_basic"];
const REVERSED: [&str; 2] = ["client_secret_basic", "client_secret_post"];

const ROWS: [Row; 30] = [
    row("Basic is accepted only with the client ID in the form", |service| {
        confidential(service, json!(BOTH), |request| has_basic(request) && has_client_id(request));
    }),
    row("Basic is accepted only with the client ID in the form, and listed first", |service| {
        confidential(service, json!(REVERSED), |request| has_basic(request) && has_client_id(request));
    }),
    row("only the form is read, although Basic is listed first", |service| {
        confidential(service, json!(REVERSED), has_secret_in_form);
    }),
    row("only the form is read, although only Basic is listed", |service| {
        confidential(service, json!(["client_secret_basic"]), has_secret_in_form);
    }),
    row("only Basic is read, although only the form is listed", |service| {
        confidential(service, json!(["client_secret_post"]), has_basic);
    }),
    row("a secret is issued and required, although only public clients are listed", |service| {
        confidential(service, json!(["none"]), has_secret_in_form);
    }),
    row("a secret is issued but not required", |service| {
        confidential(service, json!(["none"]), |_| true);
    }),
    row("a registration is rejected without the scopes", |service| {
        list_scopes(service, "files:read offline_access");
        reject_registrations(service, |body| body["scope"] != "files:read offline_access");
    }),
    row("a client may request only the scopes that it registered with", |service| {
        list_scopes(service, "files:read files:write");
        allow_registered_scopes(service);
    }),
    row("a registration with scopes is rejected", |service| {
        list_scopes(service, "files:read");
        reject_registrations(service, |body| body.get("scope").is_some());
    }),
    row("a registration with anything but a name, a redirect and scopes is rejected", |service| {
        list_scopes(service, "files:read");
        reject_registrations(service, |body| {
            body.get("grant_types").is_some() || body.get("scope").is_none()
        });
    }),
    Row {
        name: "the scopes of the metadata are not granted",
        change: |service| {
            list_scopes(service, "files:read offline_access");
            reject_authorizations(service, |query| query.contains("scope="));
        },
        failures: 1,
    },
    row("the first address of the resource metadata never responds", |service| {
        service.on(RESOURCE, Reply::silent());
        serve_resource(service, ROOT_RESOURCE);
    }),
    row("the first address of the resource metadata opens an event stream", |service| {
        service.on(RESOURCE, Reply::new(200, "text/event-stream", ": hello\n\n").hanging());
        serve_resource(service, ROOT_RESOURCE);
    }),
    row("the first address of the server metadata never responds", |service| {
        service.on(METADATA, Reply::silent());
        serve_metadata(service, OPENID);
    }),
    row("the first address of the server metadata opens an event stream", |service| {
        service.on(METADATA, Reply::new(200, "text/event-stream; charset=utf-8", "").hanging());
        serve_metadata(service, OPENID);
    }),
    row("the first address of the resource metadata redirects to an address without encryption", |service| {
        service.on(RESOURCE, Reply::redirect(302, "http://login.example/"));
        serve_resource(service, ROOT_RESOURCE);
    }),
    row("the first address of the server metadata redirects to a private name", |service| {
        service.on(METADATA, Reply::redirect(307, "http://metadata.internal/"));
        serve_metadata(service, OPENID);
    }),
    row("the first address of the resource metadata describes another service", |service| {
        let other =
            json!({ "resource": "https://other.example/mcp", "authorization_servers": [service.origin] });
        service.on(RESOURCE, Reply::json(other));
        serve_resource(service, ROOT_RESOURCE);
    }),
    row("the challenge names an address without encryption", |service| {
        challenge(service, "http://mcp.internal/.well-known/oauth-protected-resource");
    }),
    row("the challenge names an address that is not one", |service| challenge(service, "metadata")),
    row("the challenge names an address that redirects away", |service| {
        service.on("GET /moved", Reply::redirect(301, "ftp://login.example/"));
        challenge(service, &service.at("/moved"));
    }),
    row("the first address of the resource metadata has a page", |service| {
        service.on(RESOURCE, Reply::html_page(200));
        serve_resource(service, ROOT_RESOURCE);
    }),
    row("the first address of the resource metadata has a page for an error", |service| {
        service.on(RESOURCE, Reply::html_page(404));
        serve_resource(service, ROOT_RESOURCE);
    }),
    row("the first address of the server metadata has a page", |service| {
        service.on(METADATA, Reply::html_page(200));
        serve_metadata(service, OPENID);
    }),
    row("the first address of the server metadata has a page for an error", |service| {
        service.on(METADATA, Reply::html_page(403));
        serve_metadata(service, OPENID);
    }),
    row("the challenge names the metadata twice", |service| {
        let address = service.at("/.well-known/oauth-protected-resource/mcp");
        challenge(service, &format!("{address}\", resource_metadata=\"http://mcp.internal/metadata"));
    }),
    row("the challenge is in single quotes", |service| {
        service.on(RESOURCE, Reply::text(404, ""));
        serve_resource(service, "GET /metadata");
        challenge_with(
            service,
            format!("Bearer resource_metadata='{}', scope='a b'", service.at("/metadata")),
        );
    }),
    row("a registration is answered with the client ID alone", |service| {
        service.intercept(|request| match request.path.as_str() {
            "/register" => Some(Reply::json_with(201, json!({ "client_id": "client-0" })).into_response()),
            "/authorize" => Some(approved(request)),
            _ => None,
        });
        let issued = service.issue_tokens("client-0");
        service.on("POST /token", Reply::json(json!({ "access_token": issued.access_token })));
    }),
    row("a registration is answered with 200 and nulls", |service| {
        service.intercept(|request| match request.path.as_str() {
            "/register" => {
                let body = json!({ "client_id": "client-0", "client_secret": null, "redirect_uris": null, "scope": null });
                Some(Reply::json_with(200, body).into_response())
            }
            "/authorize" => Some(approved(request)),
            _ => None,
        });
        let issued = service.issue_tokens("client-0");
        service.on("POST /token", Reply::json(json!({ "access_token": issued.access_token })));
    }),
];

#[tokio::test]
async fn a_person_can_sign_in_to_each_service() -> Result<()> {
    for row in ROWS {
        sign_in(&row).await.with_context(|| row.name)?;
    }
    Ok(())
}

async fn sign_in(row: &Row) -> Result<()> {
    let service = service().await?;
    (row.change)(&service);
    let person = Person::new(service).await?;
    for _ in 0..row.failures {
        ensure!(person.sign_in().await.is_err(), "the first sign-in succeeds");
    }
    person.sign_in().await?;
    person.until_connected().await?;
    person.engine.stop().await;
    Ok(())
}

/// Some authorization servers fail at a registration that names a scheme of an app.
#[tokio::test]
async fn a_server_that_fails_at_the_scheme_gets_the_next_redirect() -> Result<()> {
    for status in [500, 502, 503] {
        for is_outage in [false, true] {
            let service = service().await?;
            service.intercept(move |request| {
                let has_scheme = request.json()["redirect_uris"][0]
                    .as_str()
                    .is_some_and(|uri| uri.starts_with("dev.usher."));
                (request.path == "/register" && (has_scheme || is_outage))
                    .then(|| Reply::text(status, "oops").into_response())
            });
            let person = Person::new(service).await?;
            let signed_in = person.sign_in().await;
            let requests = person.service.requests_to("POST /register");
            ensure!(requests.len() == 2, "{status}: {} registrations", requests.len());
            match is_outage {
                false => signed_in.with_context(|| status.to_string())?,
                true => {
                    let error = signed_in.err().context("the sign-in succeeds")?;
                    ensure!(reported(&error).message.contains("unavailable"), "{error}");
                }
            }
            person.engine.stop().await;
        }
    }
    Ok(())
}

/// Discovery that finds nothing says what was tried.
#[tokio::test]
async fn a_failed_discovery_lists_every_address_and_its_reason() -> Result<()> {
    let service = service().await?;
    service.on(RESOURCE, Reply::redirect(302, "http://login.example/"));
    service.on(ROOT_RESOURCE, Reply::json(json!({ "authorization_servers": [] })));
    challenge(&service, "http://mcp.internal/metadata");
    let person = Person::new(service).await?;
    let error = person.sign_in().await.err().context("the sign-in succeeds")?;
    let details = reported(&error).details.clone().unwrap_or_default();
    for (address, why) in [
        ("/.well-known/oauth-protected-resource/mcp: ", "redirect that Usher does not follow"),
        ("/.well-known/oauth-protected-resource: ", "it has no resource"),
        ("http://mcp.internal/metadata: ", "not encrypted"),
    ] {
        ensure!(details.lines().any(|line| line.contains(address) && line.contains(why)), "{details}");
    }
    person.engine.stop().await;
    Ok(())
}

/// Issues a secret to each client. The token endpoint rejects requests that `accepts` does not.
fn confidential(service: &FakeService, methods: Value, accepts: fn(&Request) -> bool) {
    service.change_server_metadata(json!({ "token_endpoint_auth_methods_supported": methods }));
    let issued = service.issue_tokens("client-0");
    let tokens = json!({ "access_token": issued.access_token, "refresh_token": issued.refresh_token });
    service.intercept(move |request| match request.path.as_str() {
        "/register" => {
            Some(registered(request, json!({ "client_id": "client-0", "client_secret": "s+cret/=" })))
        }
        // The fake's own page knows only the clients that it registered.
        "/authorize" => Some(approved(request)),
        "/token" if accepts(request) => Some(Reply::json(tokens.clone()).into_response()),
        "/token" if has_basic(request) => Some(Reply::oauth_error(401, "invalid_client").into_response()),
        "/token" => Some(Reply::oauth_error(400, "invalid_request").into_response()),
        _ => None,
    });
}

fn registered(request: &Request, client: Value) -> Response {
    let body = usher_fake_service::merged(request.json(), json!({ "token_endpoint_auth_method": null }));
    Reply::json_with(201, usher_fake_service::merged(body, client)).into_response()
}

/// Redirects to the callback with a code.
pub fn approved(request: &Request) -> Response {
    answered(request, "code=the-code")
}

pub fn answered(request: &Request, outcome: &str) -> Response {
    let parameter = |name: &str| {
        let query = request.line.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let host = request.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let state = parameter("state");
    let callback = format!("{}?{outcome}&state={state}&iss=http://{host}", parameter("redirect_uri"));
    Reply::redirect(302, &callback).into_response()
}

fn has_basic(request: &Request) -> bool {
    // The form encoding of RFC 6749 §2.3.1.
    request.authorization() == "Basic Y2xpZW50LTA6cyUyQmNyZXQlMkYlM0Q="
}

fn has_client_id(request: &Request) -> bool {
    request.form().get("client_id").is_some_and(|id| id == "client-0")
}

fn has_secret_in_form(request: &Request) -> bool {
    has_client_id(request) && request.form().get("client_secret").is_some_and(|secret| secret == "s+cret/=")
}

/// Lists scopes in both documents.
pub fn list_scopes(service: &FakeService, scopes: &str) {
    let scopes: Vec<&str> = scopes.split(' ').collect();
    let resource = json!({ "resource": service.url(), "authorization_servers": [service.origin], "scopes_supported": scopes });
    service.on(RESOURCE, Reply::json(resource));
    service.change_server_metadata(json!({ "scopes_supported": scopes }));
}

fn reject_registrations(service: &FakeService, is_wrong: fn(&Value) -> bool) {
    service.intercept(move |request| {
        let is_rejected = request.path == "/register" && is_wrong(&request.json());
        is_rejected.then(|| Reply::oauth_error(400, "invalid_client_metadata").into_response())
    });
}

fn reject_authorizations(service: &FakeService, is_wrong: fn(&str) -> bool) {
    service.intercept(move |request| {
        let is_rejected = request.path == "/authorize" && is_wrong(&request.line);
        is_rejected.then(|| answered(request, "error=invalid_scope"))
    });
}

/// Rejects an authorization unless the last registration contained scopes.
fn allow_registered_scopes(service: &FakeService) {
    let has_scopes = Arc::new(AtomicBool::new(false));
    service.intercept(move |request| match request.path.as_str() {
        "/register" => {
            let scope = &request.json()["scope"];
            has_scopes.store(*scope == "files:read files:write", Ordering::SeqCst);
            None
        }
        "/authorize" if !has_scopes.load(Ordering::SeqCst) => Some(answered(request, "error=invalid_scope")),
        _ => None,
    });
}

fn serve_resource(service: &FakeService, line: &str) {
    let document = json!({ "resource": service.url(), "authorization_servers": [service.origin] });
    service.on(line, Reply::json(document));
}

fn serve_metadata(service: &FakeService, line: &str) {
    let origin = &service.origin;
    let document = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "registration_endpoint": format!("{origin}/register"),
        "code_challenge_methods_supported": ["S256"],
    });
    service.on(line, Reply::json(document));
}

/// Answers MCP requests without a token with a challenge that names this address.
fn challenge(service: &FakeService, address: &str) {
    challenge_with(service, format!("Bearer resource_metadata=\"{address}\""));
}

fn challenge_with(service: &FakeService, challenge: String) {
    service.intercept(move |request| {
        let is_unauthorized = request.path == "/mcp" && request.authorization().is_empty();
        is_unauthorized.then(|| Reply::text(401, "").with("www-authenticate", &challenge).into_response())
    });
}
