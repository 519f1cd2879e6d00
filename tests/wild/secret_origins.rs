//! Changes to `mcp.json` that would send a secret somewhere else. A program that can edit the file must not be able to
//! read the secrets that the file names.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use usher_api::{Code, SecretRequestView, ServerId, ServerView, Status, Want};
use usher_engine::Engine;
use usher_fake_service::{FakeService, Options};
use usher_tests::engine::options;

use crate::person::{Person, id, service, service_with};

/// A variable that every test process has. It stands for one that contains a secret.
const VARIABLE: &str = "PATH";

#[tokio::test]
async fn a_secret_is_sent_to_no_other_origin_before_the_person_allows_it() -> Result<()> {
    let (home, other) = (open_service().await?, open_service().await?);
    let person = person_with_key(&home).await?;
    let port = home.url().parse::<url::Url>()?.port().unwrap_or_default();
    let addresses = [
        ("another port", other.url()),
        ("https", format!("https://127.0.0.1:{port}/mcp")),
        ("another host", format!("http://localhost:{port}/mcp")),
        ("a subdomain", format!("http://evil.localhost:{port}/mcp")),
    ];
    for (attack, address) in addresses {
        home.forget_requests();
        person.change_entry(&with_key(&address))?;
        let view = person.until(|view| view.address == address_of(&address) && is_refused(view)).await?;
        ensure!(view.wants == Some(Want::AllowSecret), "{attack}: {view:?}");
        let origin = address.parse::<url::Url>()?.origin().ascii_serialization();
        let request =
            SecretRequestView { secret: "{{key}}".to_owned(), origin, allowed_origins: vec![home.at("")] };
        ensure!(view.secret_requests == [request], "{attack}: {:?}", view.secret_requests);
        person.engine.connect(&id()).await?;
        person.until(is_refused).await?;
        ensure!(other.requests().is_empty() && home.requests().is_empty(), "{attack}: something was sent");
    }
    person.change_entry(&with_key(&home.url()))?;
    person.until_connected().await?;
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_second_entry_does_not_get_the_secret_of_the_first() -> Result<()> {
    let (home, other) = (open_service().await?, open_service().await?);
    let person = person_with_key(&home).await?;
    let second = ServerId("second".to_owned());
    let file = json!({ "mcpServers": { id().0: with_key(&home.url()), "second": with_key(&other.url()) } });
    std::fs::write(person.path("mcp.json"), file.to_string())?;
    person.until_server(&second, is_refused).await?;
    person.until_connected().await?;
    ensure!(other.requests().is_empty(), "something was sent");
    ensure!(sent(&home).iter().all(|value| value == "hush"), "{:?}", sent(&home));
    person.engine.stop().await;
    Ok(())
}

/// The first use of a secret needs no permission, but the environment contains values that no service should get.
#[tokio::test]
async fn a_variable_is_not_sent_before_the_person_allows_it() -> Result<()> {
    let home = open_service().await?;
    let person = Person::with_entry(Arc::clone(&home), json!({ "type": "http", "url": home.url() })).await?;
    person.until_connected().await?;
    let attacks = [
        json!({ "type": "http", "url": home.url(), "headers": { "X-Key": format!("${{{VARIABLE}}}") } }),
        json!({ "type": "http", "url": format!("{}?v=${{{VARIABLE}}}", home.url()) }),
        json!({ "type": "http", "url": home.url(), "oauth": { "clientId": format!("${{{VARIABLE}:-x}}") } }),
    ];
    for entry in attacks {
        person.change_entry(&entry)?;
        let view = person.until(is_refused).await?;
        home.forget_requests();
        person.engine.connect(&id()).await?;
        person.until(is_refused).await?;
        ensure!(view.secret_requests[0].secret == format!("${{{VARIABLE}}}"), "{view:?}");
        ensure!(view.secret_requests[0].allowed_origins.is_empty(), "{view:?}");
        ensure!(home.requests().is_empty(), "{entry}: something was sent");
        person.change_entry(&json!({ "type": "http", "url": home.url() }))?;
        person.until_connected().await?;
    }
    person.change_entry(
        &json!({ "type": "http", "url": home.url(), "headers": { "X-Key": format!("${{{VARIABLE}}}") } }),
    )?;
    person.until(is_refused).await?;
    person.engine.allow_secret(&format!("${{{VARIABLE}}}"), &home.url()).await?;
    person.until_connected().await?;
    ensure!(sent(&home).contains(&std::env::var(VARIABLE)?), "the variable was not sent");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_allowed_origin_stays_allowed_and_no_other_becomes_so() -> Result<()> {
    let (home, moved, other) = (open_service().await?, open_service().await?, open_service().await?);
    let person = person_with_key(&home).await?;
    person.change_entry(&with_key(&moved.url()))?;
    person.until(is_refused).await?;
    person.engine.allow_secret("key", &moved.url()).await?;
    person.until_connected().await?;
    ensure!(sent(&moved).contains(&"hush".to_owned()), "the secret was not sent");

    let mut person = person;
    person.engine.stop().await;
    person.engine = Engine::start(options(person.path("").as_path())).await?;
    person.until_connected().await?;
    person.change_entry(&with_key(&other.url()))?;
    let view = person.until(is_refused).await?;
    ensure!(view.secret_requests[0].allowed_origins == [home.at(""), moved.at("")], "{view:?}");
    person.engine.stop().await;
    ensure!(other.requests().is_empty(), "something was sent");
    Ok(())
}

/// Earlier versions of Usher sent every secret to every address. What is in use then stays in use.
#[tokio::test]
async fn the_secrets_of_an_earlier_version_keep_working_where_they_are_used() -> Result<()> {
    let (first, second, other) = (open_service().await?, open_service().await?, open_service().await?);
    let person = Person::with_entry(Arc::clone(&first), with_key(&first.url())).await?;
    person.engine.set_secret("key", "hush".into()).await?;
    person.until_connected().await?;
    person.engine.stop().await;
    std::fs::remove_file(person.path("state/allowed-origins.json"))?;

    let headers = json!({ "X-Key": "{{key}}", "X-Path": format!("${{{VARIABLE}}}") });
    let entry = |service: &FakeService| json!({ "type": "http", "url": service.url(), "headers": headers });
    let file = json!({ "mcpServers": { id().0: entry(&first), "second": entry(&second) } });
    std::fs::write(person.path("mcp.json"), file.to_string())?;
    let mut person = person;
    person.engine = Engine::start(options(person.path("").as_path())).await?;
    person.until_connected().await?;
    let is_connected = |view: &ServerView| matches!(view.status, Status::Connected { .. });
    person.until_server(&ServerId("second".to_owned()), is_connected).await?;
    person.change_entry(&entry(&other))?;
    person.until(is_refused).await?;
    ensure!(other.requests().is_empty(), "something was sent");
    person.engine.stop().await;
    Ok(())
}

/// The client secret is sent to the token endpoint, which the entry can name.
#[tokio::test]
async fn a_client_secret_is_bound_to_the_server_and_to_a_configured_token_endpoint() -> Result<()> {
    let (home, other) = (service().await?, service().await?);
    let entry = |server: &FakeService, token: &FakeService| {
        json!({ "type": "http", "url": server.url(), "oauth": {
            "clientId": "client", "clientSecret": "{{key}}",
            "authorizationUrl": home.at("/authorize"), "tokenUrl": token.at("/token") } })
    };
    let person = Person::with_entry(Arc::clone(&home), entry(&home, &home)).await?;
    person.engine.set_secret("key", "hush".into()).await?;
    person.until(|view| matches!(view.status, Status::NeedsSignIn { .. })).await?;
    for changed in [entry(&home, &other), entry(&other, &home)] {
        person.change_entry(&changed)?;
        let view = person.until(is_refused).await?;
        ensure!(view.secret_requests.len() == 1, "{view:?}");
        ensure!(view.secret_requests[0].origin == other.at(""), "{view:?}");
        let error = person.sign_in().await.err();
        ensure!(error.is_some(), "the sign-in begins");
        ensure!(other.requests().is_empty(), "something was sent");
        person.change_entry(&entry(&home, &home))?;
        person.until(|view| matches!(view.status, Status::NeedsSignIn { .. })).await?;
    }
    person.engine.stop().await;
    Ok(())
}

async fn open_service() -> Result<Arc<FakeService>> {
    service_with(Options { requires_authorization: false, ..Options::default() }).await
}

/// A person whose secret `key` was first used with this service.
async fn person_with_key(home: &Arc<FakeService>) -> Result<Person> {
    let person = Person::with_entry(Arc::clone(home), json!({ "type": "http", "url": home.url() })).await?;
    person.engine.set_secret("key", "hush".into()).await?;
    person.change_entry(&with_key(&home.url()))?;
    person.until_server(&id(), |_| sent(home).contains(&"hush".to_owned())).await?;
    person.until_connected().await?;
    Ok(person)
}

fn with_key(address: &str) -> Value {
    json!({ "type": "http", "url": address, "headers": { "X-Key": "{{key}}" } })
}

/// The values of the header that a service received.
fn sent(service: &FakeService) -> Vec<String> {
    let requests = service.requests();
    let values = requests.iter().filter_map(|request| request.headers.get("x-key")?.to_str().ok());
    values.map(str::to_owned).collect()
}

fn is_refused(view: &ServerView) -> bool {
    matches!(&view.status, Status::Failed { error } if error.code == Code::SecretNotAllowed)
}

fn address_of(address: &str) -> String {
    address.parse::<url::Url>().map(|url| url.to_string()).unwrap_or_default()
}
