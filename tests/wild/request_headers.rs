//! The headers of all requests of a sign-in.

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use serde_json::json;
use usher_fake_service::Reply;

use crate::person::{Person, id, service};

/// A request without them is rejected by some firewalls.
#[tokio::test]
async fn every_request_of_a_sign_in_names_usher_and_what_it_accepts() -> Result<()> {
    let service = service().await?;
    service.change_server_metadata(json!({ "revocation_endpoint": service.at("/revoke") }));
    let person = Person::new(service).await?;
    person.sign_in().await?;
    person.until_connected().await?;
    let token = person.store().grant(&id().0).await?.context("no grant")?.access_token;
    let rejected = format!("Bearer {}", secrecy::ExposeSecret::expose_secret(&token));
    person.service.intercept(move |request| {
        (request.authorization() == rejected).then(|| Reply::text(401, "").into_response())
    });
    person.reconnect().await?;
    person.engine.sign_out(&id()).await?;
    person.engine.stop().await;
    let requests = person.service.requests();
    for request in &requests {
        let header =
            |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // The browser of the test requests this page.
        if request.path != "/authorize" {
            ensure!(
                header("user-agent").starts_with("Usher/"),
                "{}: {:?}",
                request.line,
                header("user-agent")
            );
            ensure!(
                header("accept").contains("application/json"),
                "{}: {:?}",
                request.line,
                header("accept")
            );
        }
    }
    for path in ["/register", "/token", "/revoke", "/.well-known/oauth-authorization-server"] {
        ensure!(requests.iter().any(|request| request.path == path), "{path} was not requested");
    }
    ensure!(requests.iter().filter(|request| request.path == "/token").count() == 2, "no refresh");
    Ok(())
}
