//! `usher config check|format|restore`, and commands beside an entry with an error.

use anyhow::Result;
use serde_json::{Value, json};
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Cli, Desktop, Output};

use crate::login::headless;

const TEXT: &str = r#"{
  "mcpServers": {
    "demo": { "serverUrl": "DEMO" }, // from another client
    "broken": { "type": "http", "headers": { "Host": "x" } },
    "escape\u001b[31m": "text"
  }
}
"#;

/// The output of commands, without the folder of this run.
async fn report(cli: &Cli<Desktop>, commands: &[&[&str]]) -> Result<String> {
    let mut reports = String::new();
    for arguments in commands {
        let Output { code, stdout, stderr } = cli.run(arguments).await?;
        let text =
            format!("$ usher {}\nexit code {}\n{stdout}{stderr}\n", arguments.join(" "), code.unwrap_or(-1));
        reports.push_str(&text.replace(&cli.desktop.folder("config").display().to_string(), "CONFIG"));
    }
    Ok(reports)
}

#[tokio::test]
async fn every_command_works_beside_an_entry_with_an_error() -> Result<()> {
    let (cli, demo) = (headless().await?, Demo::start(DemoOptions::default()).await?);
    let address = demo.url().to_string();
    cli.desktop.write_config(&TEXT.replace("DEMO", &address))?;
    cli.sign_in("demo").await?;
    cli.succeed(&["tools", "demo"]).await?;
    let commands: [&[&str]; 9] = [
        &["list"],
        &["config", "check"],
        &["status", "broken"],
        &["tools", "broken"],
        &["login", "broken"],
        &["disable", "broken"],
        &["add", "x", "https://x.example/mcp"],
        &["remove", "x"],
        &["remove", "broken"],
    ];
    let reports = report(&cli, &commands).await?.replace(&address, "DEMO");
    insta::assert_snapshot!(reports);
    let checked = cli.run(&["config", "check", "--json"]).await?;
    let value: Value = serde_json::from_str(&checked.stdout)?;
    assert_eq!((&value["servers"], &value["errors"][0]["line"]), (&json!(1), &json!(4)), "{value}");
    Ok(())
}

#[tokio::test]
async fn format_rewrites_spellings_and_restore_keeps_the_old_file() -> Result<()> {
    let cli = headless().await?;
    let before = TEXT.replace("DEMO", "https://demo.example/mcp");
    cli.desktop.write_config(&before)?;
    let mut reports = report(&cli, &[&["config", "format", "--check"]]).await?;
    assert_eq!(std::fs::read_to_string(cli.desktop.config_file())?, before);
    let commands: [&[&str]; 5] = [
        &["config", "format"],
        &["config", "format", "--check"],
        &["config", "restore"],
        &["config", "check"],
        &["list"],
    ];
    let formatted = report(&cli, &commands[..1]).await?;
    reports.push_str(&formatted);
    let after = std::fs::read_to_string(cli.desktop.config_file())?;
    for kept in ["\"url\": \"https://demo.example/mcp\"", "// from another client", "\"headers\": { \"Host\""]
    {
        assert!(after.contains(kept), "{kept} is missing in {after}");
    }
    reports.push_str(&report(&cli, &commands[1..]).await?);
    insta::assert_snapshot!(reports);
    let saved = cli.desktop.config_file().with_file_name("mcp.saved-1.json");
    assert_eq!(std::fs::read_to_string(saved)?, after);
    Ok(())
}
