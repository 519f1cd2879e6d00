//! Answers the demo's consent page over HTTP, without a browser.

use std::time::Duration;

use anyhow::{Context, Result};
use usher_fake_service::http_client;

/// The button to press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

/// Answers the demo's consent page and returns the address that it redirects to.
pub async fn answer(authorization_url: &str, decision: Decision) -> Result<String> {
    let http = http_client().timeout(Duration::from_secs(20)).build()?;
    let page = http.get(authorization_url).send().await?.error_for_status()?.text().await?;
    let action = url::Url::parse(authorization_url)?.join("/authorize")?;
    let form = [("ticket", ticket(&page)?), ("decision", decision.name())];
    let response = http.post(action).form(&form).send().await?;
    let location = response.headers().get("location").context("the consent page did not redirect")?;
    Ok(location.to_str()?.to_owned())
}

/// Enters a code on the demo's page for devices, and presses the button.
pub async fn answer_on_device(page: &str, user_code: &str, decision: Decision) -> Result<()> {
    let http = http_client().timeout(Duration::from_secs(20)).build()?;
    let post = async |form: &[(&str, &str)]| -> Result<String> {
        Ok(http.post(page).form(form).send().await?.error_for_status()?.text().await?)
    };
    let consent = post(&[("user_code", user_code)]).await?;
    let ticket = ticket(&consent)?;
    post(&[("ticket", ticket), ("decision", decision.name())]).await?;
    Ok(())
}

fn ticket(page: &str) -> Result<&str> {
    page.split_once("name=\"ticket\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(ticket, _)| ticket)
        .context("no ticket in the consent page")
}

impl Decision {
    /// The value of the button.
    fn name(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::Deny => "deny",
        }
    }
}
