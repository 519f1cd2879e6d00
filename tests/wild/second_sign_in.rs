//! A second sign-in replaces the first grant.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use usher_api::RedirectKind;
use usher_engine::SignInOptions;
use usher_fake_service::Request;

use crate::person::{Person, id, service};

/// The redirect of the second sign-in, and whether it needs another client. The first one uses a link.
const ROWS: [(RedirectKind, bool); 4] = [
    (RedirectKind::Link, false),
    (RedirectKind::LinkWithHost, true),
    (RedirectKind::Loopback, true),
    (RedirectKind::Paste, true),
];

#[tokio::test]
async fn the_grant_of_an_earlier_client_is_revoked_after_the_new_one_is_stored() -> Result<()> {
    for (redirect, is_other_client) in ROWS {
        sign_in_twice(redirect, is_other_client).await.with_context(|| format!("{redirect:?}"))?;
    }
    Ok(())
}

async fn sign_in_twice(redirect: RedirectKind, is_other_client: bool) -> Result<()> {
    let service = service().await?;
    service.change_server_metadata(json!({ "revocation_endpoint": service.at("/revoke") }));
    let person = Person::new(service).await?;
    person.sign_in().await?;
    person.until_connected().await?;
    let first = refresh_token(&person).await?;

    let options = SignInOptions { redirect: Some(redirect), ..SignInOptions::default() };
    let request = person.engine.sign_in(&id(), options).await?;
    ensure!(revocations(&person).is_empty(), "revoked before the new grant");
    let callback = person.open_page(&request.authorization_url).await?;
    person.engine.complete_sign_in(&callback).await?;
    let second = refresh_token(&person).await?;
    ensure!(first != second, "the first grant is still stored");
    let service = Arc::clone(&person.service);
    if is_other_client {
        service.until_requests("POST /revoke", 1).await;
        let tokens: Vec<_> =
            revocations(&person).iter().filter_map(|request| request.form().remove("token")).collect();
        ensure!(tokens == [first], "another token was revoked");
    }
    // The engine waits for running revocations.
    person.engine.stop().await;
    let expected = usize::from(is_other_client);
    ensure!(revocations(&person).len() == expected, "{} revocations", revocations(&person).len());
    Ok(())
}

fn revocations(person: &Person) -> Vec<Request> {
    person.service.requests_to("POST /revoke")
}

async fn refresh_token(person: &Person) -> Result<String> {
    let grant = person.store().grant(&id().0).await?.context("no grant is stored")?;
    let token = grant.refresh_token.context("the grant has no refresh token")?;
    Ok(secrecy::ExposeSecret::expose_secret(&token).to_owned())
}
