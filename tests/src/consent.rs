//! Answers the demo's consent page over HTTP, without a browser.

use std::time::Duration;

use anyhow::{Context, Result};

/// The button to press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

/// Answers the demo's consent page and returns the address that it redirects to.
pub async fn answer(authorization_url: &str, decision: Decision) -> Result<String> {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .build()?;
    let page = http.get(authorization_url).send().await?.error_for_status()?.text().await?;
    let ticket = page
        .split_once("name=\"ticket\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(ticket, _)| ticket)
        .context("no ticket in the consent page")?;
    let action = url::Url::parse(authorization_url)?.join("/authorize")?;
    let decision = match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    };
    let response = http.post(action).form(&[("ticket", ticket), ("decision", decision)]).send().await?;
    let location = response.headers().get("location").context("the consent page did not redirect")?;
    Ok(location.to_str()?.to_owned())
}
