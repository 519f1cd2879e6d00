//! Errors of commands. Each error has one message, one hint and the right exit code.

use std::borrow::Borrow;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use usher_demo::{Demo, DemoOptions, TokenFault};
use usher_fake_service::{FakeService, Options, Reply};
use usher_tests::consent::{self, Decision};
use usher_tests::{Cli, Desktop, DesktopOptions, Keyring, Output, SelfSignedServer, free_port};

use crate::login::{add_demo, headless};

fn report(output: &Output) -> String {
    let code = output.code.map_or("none".to_owned(), |code| code.to_string());
    format!("exit code {code}\n{}", output.stderr)
}

/// Adds a server, runs `usher login`, and formats its exit code and stderr.
async fn add_and_login(cli: &Cli<impl Borrow<Desktop>>, url: &str) -> Result<String> {
    cli.succeed(&["add", "notes", url]).await?;
    Ok(report(&cli.run(&["login", "notes", "--no-browser"]).await?))
}

#[tokio::test]
async fn an_unreachable_host_is_reported() -> Result<()> {
    let url = format!("http://127.0.0.1:{}/mcp", free_port()?);
    insta::assert_snapshot!(add_and_login(&headless().await?, &url).await?);
    Ok(())
}

#[tokio::test]
async fn a_self_signed_certificate_is_rejected() -> Result<()> {
    let server = SelfSignedServer::start().await?;
    insta::assert_snapshot!(add_and_login(&headless().await?, &server.url()).await?);
    Ok(())
}

/// A change to a service.
type Script = fn(&FakeService) -> &FakeService;

#[tokio::test]
async fn services_that_reject_the_app_or_break_a_specification_are_reported() -> Result<()> {
    let cases: [(&str, Script); 6] = [
        ("html_instead_of_json", |service| service.on_all(Reply::html_page(200))),
        ("metadata_that_is_html", |service| {
            service.on("GET /.well-known/oauth-protected-resource/mcp", Reply::html_page(200))
        }),
        ("metadata_of_another_issuer", |service| {
            service.change_server_metadata(json!({ "issuer": "https://evil.example" }))
        }),
        ("a_javascript_authorization_endpoint", |service| {
            service.change_server_metadata(json!({ "authorization_endpoint": "javascript:alert(1)" }))
        }),
        ("a_rejected_registration", |service| service.on("POST /register", Reply::rejected_registration())),
        ("no_registration_endpoint", |service| {
            service.change_server_metadata(json!({ "registration_endpoint": null }))
        }),
    ];
    for (name, script) in cases {
        let service = FakeService::start(Options::default()).await?;
        script(&service);
        let report = add_and_login(&headless().await?, &service.url()).await?;
        // The port differs from run to run.
        insta::assert_snapshot!(name, report.replace(&service.origin, "http://HOST"));
    }
    Ok(())
}

#[tokio::test]
async fn a_denied_request_ends_the_login() -> Result<()> {
    let cli = headless().await?;
    let demo = add_demo(&cli, DemoOptions::default()).await?;
    insta::assert_snapshot!(report(&cli.login("demo", Decision::Deny).await?));
    assert_eq!(demo.token_requests("authorization_code"), 0);
    Ok(())
}

#[tokio::test]
async fn a_callback_with_a_wrong_state_does_not_end_the_login() -> Result<()> {
    let cli = headless().await?;
    let demo = add_demo(&cli, DemoOptions::default()).await?;
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    login.write_line("dev.usher.desktop:/oauth/callback?code=stolen&state=forged").await?;
    login.answer(Decision::Allow).await?;
    insta::assert_snapshot!(report(&login.finish().await?));
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}

#[tokio::test]
async fn a_code_cannot_be_used_twice() -> Result<()> {
    let cli = headless().await?;
    let _demo = add_demo(&cli, DemoOptions::default()).await?;
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    let first = login.answer(Decision::Allow).await?;
    assert_eq!(login.finish().await?.code, Some(0));

    let mut login = cli.start(&["login", "demo", "--no-browser", "--again"])?;
    let second = consent::answer(&login.authorization_url().await?, Decision::Allow).await?;
    login.write_line(&with_code_of(&first, &second)?).await?;
    let output = login.finish().await?;
    assert_ne!(output.code, Some(0), "usher login succeeded although the exchange was rejected");
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
async fn a_failing_token_endpoint_is_reported() -> Result<()> {
    let token_faults = vec![TokenFault::ServerError; 10];
    let cli = headless().await?;
    let _demo = add_demo(&cli, DemoOptions { token_faults, ..DemoOptions::default() }).await?;
    insta::assert_snapshot!(report(&cli.login("demo", Decision::Allow).await?));
    Ok(())
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_the_sign_in() -> Result<()> {
    let life = Duration::from_secs(1);
    let cli = headless().await?;
    let demo = add_demo(&cli, DemoOptions { access_token_lifetime: life, ..DemoOptions::default() }).await?;
    cli.sign_in("demo").await?;

    demo.revoke_access_tokens();
    for fault in [TokenFault::HtmlPage, TokenFault::UnavailableInvalidGrant, TokenFault::ServerError] {
        demo.add_token_fault(fault);
        let during = cli.run(&["tools", "demo"]).await?;
        assert_ne!(during.code, Some(3), "{fault:?} signed the person out: {}", during.stderr);
    }
    cli.succeed(&["tools", "demo"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_broken_config_file_stops_every_command() -> Result<()> {
    let cli = headless().await?;
    cli.desktop.write_config(Desktop::BROKEN_CONFIG)?;
    let mut reports = String::new();
    for arguments in
        [&["list"][..], &["config", "check"], &["tools", "demo"], &["add", "x", "https://x.example/mcp"]]
    {
        let report = report(&cli.run(arguments).await?);
        let report = report.replace(&cli.desktop.folder("config").display().to_string(), "CONFIG");
        reports.push_str(&format!("$ usher {}\n{report}\n", arguments.join(" ")));
    }
    insta::assert_snapshot!(reports);
    Ok(())
}

#[tokio::test]
async fn a_missing_keychain_is_reported() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start_with(DesktopOptions::HEADLESS).await?;
    insta::assert_snapshot!(add_and_login(&Cli::new(desktop), demo.url().as_str()).await?);
    Ok(())
}

#[tokio::test]
async fn a_locked_keychain_is_reported() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let options = DesktopOptions { bus: true, keyring: true, ..DesktopOptions::HEADLESS };
    let desktop = Desktop::start_with(options).await?;
    Keyring::lock(desktop.bus()?)?;
    insta::assert_snapshot!(add_and_login(&Cli::new(desktop), demo.url().as_str()).await?);
    Ok(())
}

#[tokio::test]
async fn an_unknown_name_or_command_is_a_usage_error() -> Result<()> {
    let cli = headless().await?;
    insta::assert_snapshot!(report(&cli.run(&["tools", "unknown"]).await?));
    assert_eq!(cli.run(&["sing"]).await?.code, Some(2));
    Ok(())
}

#[tokio::test]
async fn a_command_that_needs_a_sign_in_reports_it() -> Result<()> {
    let cli = headless().await?;
    let _demo = add_demo(&cli, DemoOptions::default()).await?;
    insta::assert_snapshot!(report(&cli.run(&["tools", "demo"]).await?));
    Ok(())
}

/// Adds a server with a client secret. Returns the exit code.
async fn add_with_secret(cli: &Cli<Desktop>, name: &str, secret: &str) -> Result<Option<i32>> {
    let url = "https://mcp.example.com/mcp";
    let mut add = cli.start(&["add", name, url, "--client-id", "app", "--client-secret", "-"])?;
    // A rejected command does not read its input.
    let _ = add.write_line(secret).await;
    Ok(add.finish().await?.code)
}

#[tokio::test]
async fn a_server_never_gets_the_client_secret_of_another() -> Result<()> {
    let cli = headless().await?;
    let names = ["corp-x", "corp.x", "corp x", "Corp-x", "日本", "中国"];
    for (number, name) in names.iter().enumerate() {
        assert_eq!(add_with_secret(&cli, name, &format!("secret-number-{number}")).await?, Some(0), "{name}");
    }
    // A rejected command changes nothing.
    assert_eq!(add_with_secret(&cli, "corp-x", "the-secret-of-an-intruder").await?, Some(2));
    let stored = std::fs::read_to_string(cli.desktop.secret_file())?;
    for number in 0..names.len() {
        assert!(stored.contains(&format!("secret-number-{number}")), "secret {number} was replaced");
    }
    assert!(!stored.contains("intruder"), "a rejected command stored its secret");
    Ok(())
}
