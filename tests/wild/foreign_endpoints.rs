//! Authorization servers whose metadata names endpoints of another site. The person has to confirm them.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use usher_api::{Code, ErrorView, Status};
use usher_engine::SignInOptions;

use crate::person::{Person, id, service};

/// Whether the page and the token endpoint belong to another site.
const ROWS: [(bool, bool); 3] = [(true, false), (false, true), (true, true)];

#[tokio::test]
async fn no_code_goes_to_another_site_without_the_persons_answer() -> Result<()> {
    for (page, token) in ROWS {
        confirm(page, token).await.with_context(|| format!("page {page}, token endpoint {token}"))?;
    }
    Ok(())
}

async fn confirm(page: bool, token: bool) -> Result<()> {
    let service = service().await?;
    let own = service.origin.clone();
    let other = own.replace("127.0.0.1", "localhost");
    let origin = |is_foreign: bool| if is_foreign { &other } else { &own };
    service.change_server_metadata(json!({
        "authorization_endpoint": format!("{}/authorize", origin(page)),
        "token_endpoint": format!("{}/token", origin(token)),
    }));
    let person = Person::new(service).await?;

    let error = begin(&person, &[]).await.err().context("the sign-in begins")?;
    ensure!(error.code == Code::EndpointsUnconfirmed, "{error:?}");
    for named in [id().0.as_str(), "127.0.0.1", "localhost"] {
        ensure!(error.message.contains(named), "{error:?}");
    }
    let requests = person.service.requests();
    let is_sign_in = |path: &str| matches!(path, "/register" | "/authorize" | "/token");
    ensure!(!requests.iter().any(|request| is_sign_in(&request.path)), "{requests:?}");
    let view = person.engine.server(&id()).context("no server")?;
    ensure!(matches!(view.status, Status::NeedsSignIn { .. }), "{view:?}");
    let endpoints = view.endpoints_to_confirm.context("no endpoints are shown")?;
    ensure!(endpoints.foreign == ["localhost"] && endpoints.issuer == "127.0.0.1", "{endpoints:?}");
    ensure!(
        (endpoints.page == "localhost", endpoints.token == "localhost") == (page, token),
        "{endpoints:?}"
    );

    // Another host was confirmed.
    let error = begin(&person, &["127.0.0.1", "localhost.evil.example"]).await.err().context("it begins")?;
    ensure!(error.code == Code::EndpointsUnconfirmed, "{error:?}");

    begin(&person, &["localhost"]).await?;
    finish(&person).await?;
    // The answer is remembered, also by the next run.
    person.engine.sign_out(&id()).await?;
    let person = person.restarted().await?;
    person.until(|view| matches!(view.status, Status::NeedsSignIn { .. })).await?;
    begin(&person, &[]).await?;
    finish(&person).await?;
    let view = person.engine.server(&id()).context("no server")?;
    ensure!(view.endpoints_to_confirm.is_none(), "{view:?}");
    person.engine.stop().await;
    Ok(())
}

async fn begin(person: &Person, confirmed: &[&str]) -> Result<(), ErrorView> {
    let confirmed_hosts = confirmed.iter().map(|host| (*host).to_owned()).collect();
    let options = SignInOptions { confirmed_hosts, ..SignInOptions::default() };
    person.engine.sign_in(&id(), options).await.map(drop)
}

async fn finish(person: &Person) -> Result<()> {
    let request = person.engine.authorization_request(&id()).context("no sign-in waits")?;
    let callback = person.open_page(&request.authorization_url).await?;
    person.engine.complete_sign_in(&callback).await?;
    person.until_connected().await?;
    Ok(())
}
