//! Errors: each has one message, one hint and the right exit code.

use anyhow::{Context, Result};
use serde_json::json;
use usher_demo::{Demo, DemoOptions, TokenFault};
use usher_fake_service::{FakeService, Options, Reply};
use usher_tests::consent::{self, Decision};
use usher_tests::wait::TIMEOUT;
use usher_tests::{Cli, Desktop, DesktopOptions, Keyring, Output, SelfSignedServer};

use crate::login::{answer, headless, with_file_store};

/// Formats the exit code and stderr, without the ports, which differ from run to run.
fn report(output: &Output) -> String {
    let code = output.code.map_or("none".to_owned(), |code| code.to_string());
    let mut parts = output.stderr.split(':');
    let mut stderr = parts.next().unwrap_or_default().to_owned();
    let is_digit = |character: char| character.is_ascii_digit();
    for part in parts {
        let host = ["127.0.0.1", "localhost"].into_iter().find(|host| stderr.ends_with(host));
        match host.filter(|_| part.starts_with(is_digit)) {
            Some(host) => {
                stderr.truncate(stderr.len() - host.len());
                stderr.push_str("HOST");
                stderr.push_str(part.trim_start_matches(is_digit));
            }
            None => {
                stderr.push(':');
                stderr.push_str(part);
            }
        }
    }
    format!("exit code {code}\n{stderr}")
}

async fn add_and_login(cli: &Cli<'_>, url: &str) -> Result<Output> {
    let added = cli.run(&["add", "notes", url]).await?;
    anyhow::ensure!(added.code == Some(0), "usher add: {}", added.stderr);
    cli.run(&["login", "notes", "--no-browser"]).await
}

/// Runs `usher login` at a service that `script` changes, and formats the result.
async fn login_at(script: impl FnOnce(&FakeService) -> &FakeService) -> Result<String> {
    let service = FakeService::start(Options::default()).await?;
    script(&service);
    let desktop = headless().await?;
    Ok(report(&add_and_login(&with_file_store(&desktop), &service.url()).await?))
}

#[tokio::test]
async fn an_unreachable_host() -> Result<()> {
    let desktop = headless().await?;
    let port = usher_tests::free_port()?;
    let output = add_and_login(&with_file_store(&desktop), &format!("http://127.0.0.1:{port}/mcp")).await?;
    insta::assert_snapshot!(report(&output));
    Ok(())
}

#[tokio::test]
async fn a_self_signed_certificate() -> Result<()> {
    let server = SelfSignedServer::start().await?;
    let desktop = headless().await?;
    insta::assert_snapshot!(report(&add_and_login(&with_file_store(&desktop), &server.url()).await?));
    Ok(())
}

#[tokio::test]
async fn html_instead_of_json() -> Result<()> {
    insta::assert_snapshot!(login_at(|service| service.on_all(Reply::html_page(200))).await?);
    Ok(())
}

#[tokio::test]
async fn metadata_that_is_html() -> Result<()> {
    insta::assert_snapshot!(login_at(|service| service.on("GET /.well-known/oauth-protected-resource/mcp", Reply::html_page(200))).await?);
    Ok(())
}

#[tokio::test]
async fn metadata_of_another_issuer() -> Result<()> {
    insta::assert_snapshot!(
        login_at(|service| service.change_server_metadata(json!({ "issuer": "https://evil.example" })))
            .await?
    );
    Ok(())
}

#[tokio::test]
async fn a_javascript_authorization_endpoint() -> Result<()> {
    insta::assert_snapshot!(
        login_at(|service| service
            .change_server_metadata(json!({ "authorization_endpoint": "javascript:alert(1)" })))
        .await?
    );
    Ok(())
}

#[tokio::test]
async fn a_refused_registration() -> Result<()> {
    insta::assert_snapshot!(
        login_at(|service| service.on("POST /register", Reply::rejected_registration())).await?
    );
    Ok(())
}

#[tokio::test]
async fn no_registration_endpoint() -> Result<()> {
    insta::assert_snapshot!(
        login_at(|service| service.change_server_metadata(json!({ "registration_endpoint": null }))).await?
    );
    Ok(())
}

#[tokio::test]
async fn a_denied_request() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    cli.run(&["add", "demo", demo.url().as_str()]).await?;
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    answer(&mut login, Decision::Deny).await?;
    insta::assert_snapshot!(report(&login.finish(TIMEOUT).await?));
    assert_eq!(demo.token_requests("authorization_code"), 0);
    Ok(())
}

#[tokio::test]
async fn a_callback_with_a_wrong_state_and_the_right_one_after_it() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    cli.run(&["add", "demo", demo.url().as_str()]).await?;
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    login.write_line("dev.usher.desktop:/oauth/callback?code=stolen&state=forged")?;
    answer(&mut login, Decision::Allow).await?;
    let output = login.finish(TIMEOUT).await?;
    insta::assert_snapshot!(report(&output));
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}

#[tokio::test]
async fn a_code_that_was_used_before() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    cli.run(&["add", "demo", demo.url().as_str()]).await?;
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    let first = answer(&mut login, Decision::Allow).await?;
    assert_eq!(login.finish(TIMEOUT).await?.code, Some(0));

    let mut login = cli.start(&["login", "demo", "--no-browser", "--again"])?;
    let line: serde_json::Value = serde_json::from_str(&login.line().await?)?;
    let address = line["authorization_url"].as_str().context("no authorization_url")?;
    let second = consent::answer(address, Decision::Allow).await?;
    login.write_line(&with_code_of(&first, &second)?)?;
    let output = login.finish(TIMEOUT).await?;
    assert_ne!(
        output.code,
        Some(0),
        "a rejected exchange is an error, even if the earlier sign-in still works"
    );
    insta::assert_snapshot!(report(&output));
    Ok(())
}

/// Returns the callback `second` with the authorization code of `first`.
fn with_code_of(first: &str, second: &str) -> Result<String> {
    let code = |address: &str| -> Result<String> {
        let url = url::Url::parse(address)?;
        let pair = url.query_pairs().find(|(name, _)| name == "code").context("no code")?;
        Ok(pair.1.into_owned())
    };
    Ok(second.replace(&code(second)?, &code(first)?))
}

#[tokio::test]
async fn a_token_endpoint_that_fails() -> Result<()> {
    let faults = vec![TokenFault::ServerError; 10];
    let demo = Demo::start(DemoOptions { token_faults: faults, ..DemoOptions::default() }).await?;
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    cli.run(&["add", "demo", demo.url().as_str()]).await?;
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    answer(&mut login, Decision::Allow).await?;
    insta::assert_snapshot!(report(&login.finish(TIMEOUT).await?));
    Ok(())
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_the_sign_in() -> Result<()> {
    let life = std::time::Duration::from_secs(1);
    let demo = Demo::start(DemoOptions { life, ..DemoOptions::default() }).await?;
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    cli.run(&["add", "demo", demo.url().as_str()]).await?;
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    answer(&mut login, Decision::Allow).await?;
    assert_eq!(login.finish(TIMEOUT).await?.code, Some(0));

    demo.revoke_access_tokens();
    for fault in [TokenFault::HtmlPage, TokenFault::UnavailableInvalidGrant, TokenFault::ServerError] {
        demo.add_token_fault(fault);
        let during = cli.run(&["tools", "demo"]).await?;
        assert_ne!(during.code, Some(3), "{fault:?} signed the person out: {}", during.stderr);
    }
    let after = cli.run(&["tools", "demo"]).await?;
    assert_eq!(after.code, Some(0), "{}", after.stderr);
    Ok(())
}

#[tokio::test]
async fn a_broken_config_file() -> Result<()> {
    let desktop = headless().await?;
    desktop
        .write_config("{\n  \"mcpServers\": {\n    \"demo\": { \"url\": \"http://127.0.0.1/mcp\" \n  }\n")?;
    let cli = with_file_store(&desktop);
    let mut reports = String::new();
    for arguments in
        [&["list"][..], &["config", "check"], &["tools", "demo"], &["add", "x", "https://x.example/mcp"]]
    {
        let output = cli.run(arguments).await?;
        let report = report(&output).replace(&desktop.folder("config").display().to_string(), "CONFIG");
        reports.push_str(&format!("$ usher {}\n{report}\n", arguments.join(" ")));
    }
    insta::assert_snapshot!(reports);
    Ok(())
}

#[tokio::test]
async fn no_keychain() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = headless().await?;
    insta::assert_snapshot!(report(&add_and_login(&Cli::new(&desktop), demo.url().as_str()).await?));
    Ok(())
}

#[tokio::test]
async fn a_locked_keychain() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start_with(DesktopOptions { display: false, bus: true, keyring: true }).await?;
    Keyring::lock(desktop.bus()?)?;
    insta::assert_snapshot!(report(&add_and_login(&Cli::new(&desktop), demo.url().as_str()).await?));
    Ok(())
}

#[tokio::test]
async fn a_usage_error() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let unknown = cli.run(&["tools", "nobody"]).await?;
    insta::assert_snapshot!(report(&unknown));
    assert_eq!(cli.run(&["sing"]).await?.code, Some(2));
    Ok(())
}

#[tokio::test]
async fn a_sign_in_is_needed() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    cli.run(&["add", "demo", demo.url().as_str()]).await?;
    insta::assert_snapshot!(report(&cli.run(&["tools", "demo"]).await?));
    Ok(())
}
