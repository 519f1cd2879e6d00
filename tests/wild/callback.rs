//! Deviations of the callback.

use anyhow::{Context, Result};
use url::form_urlencoded;

use crate::person::{Person, id, service};

/// The callback of the browser, with these endings.
#[tokio::test]
async fn a_fragment_of_the_callback_is_ignored() -> Result<()> {
    for ending in ["#_=_", "#", "#access_token=x&state=y", "#a#b"] {
        let person = Person::new(service().await?).await?;
        let request = person.engine.sign_in(&id(), Default::default()).await?;
        let callback = person.open_page(&request.authorization_url).await?;
        person.engine.complete_sign_in(&format!("{callback}{ending}")).await?;
        person.engine.stop().await;
    }
    Ok(())
}

/// The state of the callback, as frameworks encode it. Every second encoding leaves it unchanged.
#[tokio::test]
async fn an_encoded_state_is_accepted() -> Result<()> {
    let encodings: [fn(&str) -> String; 3] = [
        |state| form_urlencoded::byte_serialize(state.as_bytes()).collect(),
        |state| {
            let once: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
            form_urlencoded::byte_serialize(once.as_bytes()).collect()
        },
        |state| state.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    ];
    for encode in encodings {
        let person = Person::new(service().await?).await?;
        let request = person.engine.sign_in(&id(), Default::default()).await?;
        let callback = person.open_page(&request.authorization_url).await?;
        let (before, rest) = callback.split_once("state=").context("no state")?;
        let (state, after) = rest.split_once('&').context("no issuer")?;
        let callback = format!("{before}state={}&{after}", encode(state));
        person.engine.complete_sign_in(&callback).await.with_context(|| callback)?;
        person.engine.stop().await;
    }
    Ok(())
}
