//! A script in the browser's place: fetches the page that asks, answers it, and reads where it leads.

use std::time::Duration;

use anyhow::{Context, Result};

/// What the script presses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

/// Answers the demo's consent page; the address that the browser would be sent to.
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
        .context("the page has no form")?;
    let action = url::Url::parse(authorization_url)?.join("/authorize")?;
    let decision = match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    };
    let response = http.post(action).form(&[("ticket", ticket), ("decision", decision)]).send().await?;
    let location = response.headers().get("location").context("the page sent nobody back")?;
    Ok(location.to_str()?.to_owned())
}
