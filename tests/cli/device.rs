//! Signing in with a code that the person enters on another device.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use usher_demo::DemoOptions;
use usher_tests::consent::{Decision, answer_on_device};

use crate::login::{add_demo, headless};

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field].as_str().with_context(|| format!("no {field} in {value}"))
}

#[tokio::test]
async fn a_script_shows_the_code_and_the_command_waits_for_the_approval() -> Result<()> {
    let cli = headless().await?;
    let _demo = add_demo(&cli, DemoOptions::default()).await?;
    for (decision, exit_code) in [(Decision::Deny, 5), (Decision::Allow, 0)] {
        let mut login = cli.start(&["login", "demo", "--device", "--json"])?;
        let codes: Value = serde_json::from_str(&login.line().await?)?;
        let status = cli.run(&["status", "demo"]).await?;
        assert_eq!(status.code, Some(3), "{status:?}");
        assert!(
            status.stderr.contains(&format!("hint: Enter {} at", text(&codes, "user_code")?)),
            "{status:?}"
        );
        answer_on_device(text(&codes, "verification_uri")?, text(&codes, "user_code")?, decision).await?;
        let output = login.finish().await?;
        assert_eq!(output.code, Some(exit_code), "{output:?}");
    }
    cli.succeed(&["tools", "demo"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_person_in_a_terminal_gets_the_page_the_code_and_a_qr_code() -> Result<()> {
    let cli = headless().await?;
    let options = DemoOptions { device_code_lifetime: Duration::from_secs(3), ..DemoOptions::default() };
    let demo = add_demo(&cli, options).await?;
    let output = cli.in_terminal(&["login", "demo", "--device"], "").await?;
    let shown = output.stdout;
    assert!(shown.contains(&format!("{}/device\r\n", demo.issuer())), "the page: {shown}");
    assert!(shown.contains("Enter this code there"), "{shown}");
    assert!(shown.contains("████"), "the QR code: {shown}");
    assert!(shown.contains("the sign-in expired") && shown.contains("hint: Sign in again"), "{shown}");
    assert_eq!(output.code, Some(3), "{shown}");
    Ok(())
}
