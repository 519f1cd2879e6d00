//! The named secrets: who may get them, and how they get into the store.

use anyhow::Result;
use serde_json::{Value, json};
use usher_fake_service::{FakeService, Options};
use usher_tests::{Cli, Desktop, Output};

use crate::login::headless;

#[tokio::test]
async fn a_secret_goes_to_another_service_only_after_a_person_at_a_terminal_allows_it() -> Result<()> {
    let (cli, home, moved) = (headless().await?, service().await?, service().await?);
    cli.succeed(&["add", "notes", &home.url(), "--header", "X-Key={{key}}"]).await?;
    set(&cli, "key", "hush").await?;
    assert_eq!(listed(&cli).await?, json!([{ "name": "key", "origins": [home.at("")] }]));
    cli.succeed(&["status", "notes"]).await?;
    assert!(sent(&home).contains(&"hush".to_owned()));

    let file = cli.desktop.config_file();
    std::fs::write(&file, std::fs::read_to_string(&file)?.replace(&home.url(), &moved.url()))?;
    let refused = cli.run(&["status", "notes"]).await?;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let command = format!("usher secret allow key {}", moved.at(""));
    assert!(refused.stderr.contains(&command), "{}", refused.stderr);

    let allow = ["secret", "allow", "key", &moved.url()];
    let by_script = cli.run(&allow).await?;
    assert_eq!(by_script.code, Some(2), "{by_script:?}");
    assert!(by_script.stderr.contains(&command), "{}", by_script.stderr);
    assert_eq!(cli.run(&["status", "notes"]).await?.code, Some(3));
    assert!(moved.requests().is_empty(), "something was sent");

    let allowed = cli.in_terminal(&allow, "").await?;
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
    cli.succeed(&["status", "notes"]).await?;
    assert!(sent(&moved).contains(&"hush".to_owned()));
    assert_eq!(listed(&cli).await?, json!([{ "name": "key", "origins": [home.at(""), moved.at("")] }]));
    let table = cli.succeed(&["secret", "list"]).await?;
    assert!(table.contains(&format!("{}, {}", home.at(""), moved.at(""))), "{table}");

    // A new secret of the same name may go nowhere else than where it is used now.
    cli.succeed(&["secret", "remove", "key"]).await?;
    assert_eq!(listed(&cli).await?, json!([]));
    set(&cli, "key", "hush again").await?;
    assert_eq!(listed(&cli).await?, json!([{ "name": "key", "origins": [moved.at("")] }]));
    Ok(())
}

#[tokio::test]
async fn the_list_names_the_servers_that_use_a_secret_and_its_last_use() -> Result<()> {
    let (cli, home) = (headless().await?, service().await?);
    assert!(cli.succeed(&["secret", "list"]).await?.contains("No named secrets."));
    cli.succeed(&["add", "notes", &home.url(), "--header", "X-Key={{key}}"]).await?;
    let mut row = json!({
        "name": "key",
        "state": "missing",
        "uses": [{
            "server": "notes", "server_name": "notes", "setting": ["headers", "X-Key"],
            "is_program": false, "is_disabled": false }],
        "origins": [],
        "refused_origins": [],
        "in_use": false,
        "last_used": null,
    });
    assert_eq!(list(&cli).await?, [row.clone()]);
    set(&cli, "key", "hush").await?;
    let table = cli.succeed(&["secret", "list"]).await?;
    assert!(table.contains("notes (headers.X-Key)") && table.contains("never"), "{table}");

    cli.succeed(&["status", "notes"]).await?;
    let used = list(&cli).await?;
    row["state"] = json!("stored");
    row["origins"] = json!([home.at("")]);
    row["last_used"] = used[0]["last_used"].clone();
    assert!(row["last_used"].is_string(), "{row}");
    assert_eq!(used, [row.clone()]);

    cli.succeed(&["secret", "disallow", "key", &home.url()]).await?;
    row["refused_origins"] = row["origins"].take();
    row["origins"] = json!([]);
    assert_eq!(list(&cli).await?, [row]);
    home.forget_requests();
    assert_eq!(cli.run(&["status", "notes"]).await?.code, Some(3));
    assert!(home.requests().is_empty(), "something was sent");
    let again = cli.run(&["secret", "disallow", "key", &home.url()]).await?;
    assert_eq!(again.code, Some(2), "{again:?}");

    // The value and the last use of the next secret with this name are its own.
    cli.succeed(&["secret", "remove", "key"]).await?;
    set(&cli, "key", "hush again").await?;
    assert_eq!(list(&cli).await?[0]["last_used"], Value::Null);

    std::fs::write(cli.desktop.config_file(), "{")?;
    let without_file = cli.run(&["secret", "list"]).await?;
    assert_eq!(without_file.code, Some(0), "{without_file:?}");
    assert!(without_file.stderr.contains("unknown which secrets are used"), "{}", without_file.stderr);
    assert!(without_file.stdout.contains("stored"), "{}", without_file.stdout);
    Ok(())
}

#[tokio::test]
async fn a_name_that_no_placeholder_can_have_is_not_stored() -> Result<()> {
    let cli = headless().await?;
    for name in ["two words", "${VAR}", "{{key}}"] {
        let refused = cli.run(&["secret", "set", name]).await?;
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
    assert_eq!(list(&cli).await?, [] as [Value; 0]);
    Ok(())
}

#[tokio::test]
async fn a_variable_goes_to_a_service_only_after_a_person_at_a_terminal_allows_it() -> Result<()> {
    let (cli, home) = (headless().await?.env("NOTES_KEY", "hush"), service().await?);
    // The first run with an empty mcp.json.
    cli.succeed(&["status"]).await?;
    cli.succeed(&["add", "notes", &home.url(), "--header", "X-Key=${NOTES_KEY}"]).await?;
    let refused = cli.run(&["status", "notes"]).await?;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let command = format!("usher secret allow '${{NOTES_KEY}}' {}", home.at(""));
    assert!(refused.stderr.contains(&command), "{}", refused.stderr);
    assert!(home.requests().is_empty(), "something was sent");

    let allowed = cli.in_terminal(&["secret", "allow", "${NOTES_KEY}", &home.at("")], "").await?;
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
    cli.succeed(&["status", "notes"]).await?;
    assert!(sent(&home).contains(&"hush".to_owned()));
    cli.succeed(&["secret", "remove", "${NOTES_KEY}"]).await?;
    assert_eq!(cli.run(&["status", "notes"]).await?.code, Some(3));
    Ok(())
}

#[tokio::test]
async fn a_placeholder_that_a_person_types_is_allowed_for_its_service() -> Result<()> {
    let (cli, home) = (headless().await?.env("NOTES_KEY", "hush"), service().await?);
    cli.succeed(&["status"]).await?;
    let add = ["add", "notes", &home.url(), "--header", "X-Key=${NOTES_KEY}"];
    let added = cli.in_terminal(&add, "").await?;
    assert_eq!(added.code, Some(0), "{added:?}");
    cli.succeed(&["status", "notes"]).await?;
    assert!(sent(&home).contains(&"hush".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_header_value_from_stdin_is_stored_as_a_secret() -> Result<()> {
    let (cli, home) = (headless().await?, service().await?);
    let mut add = cli.start(&["add", "notes", &home.url(), "--header", "X-Key=-"])?;
    add.write_line("hush").await?;
    let added = add.finish().await?;
    assert_eq!((added.code, added.stderr.as_str()), (Some(0), ""), "{added:?}");
    assert_eq!(headers(&cli)?, json!({ "X-Key": "{{notes_header_x-key}}" }));
    assert_eq!(listed(&cli).await?, json!([{ "name": "notes_header_x-key", "origins": [home.at("")] }]));
    cli.succeed(&["status", "notes"]).await?;
    assert!(sent(&home).contains(&"hush".to_owned()));

    let both = ["add", "other", &home.url(), "--header", "X-Key=-", "--header", "X-Token=-"];
    let rejected = cli.run(&both).await?;
    assert_eq!(rejected.code, Some(2), "{rejected:?}");
    assert!(rejected.stderr.contains("Only one value"), "{}", rejected.stderr);
    Ok(())
}

#[tokio::test]
async fn a_header_in_plain_text_is_offered_a_place_in_the_keychain() -> Result<()> {
    let (cli, home) = (headless().await?, service().await?);
    let add = |name: &'static str, header: &'static str| {
        let url = home.url();
        move || ["add".to_owned(), name.to_owned(), url.clone(), "--header".to_owned(), header.to_owned()]
    };
    let run = async |arguments: [String; 5], input: Option<&str>| -> Result<Output> {
        let arguments = arguments.each_ref().map(String::as_str);
        match input {
            Some(input) => cli.in_terminal(&arguments, input).await,
            None => cli.run(&arguments).await,
        }
    };
    let by_script = run(add("script", "X-Key=hush")(), None).await?;
    assert_eq!(by_script.code, Some(0), "{by_script:?}");
    assert!(by_script.stderr.contains("--header X-Key=-"), "{}", by_script.stderr);
    let harmless = run(add("harmless", "X-Region=eu")(), None).await?;
    assert_eq!((harmless.code, harmless.stderr.as_str()), (Some(0), ""), "{harmless:?}");

    let declined = run(add("plain", "X-Key=hush")(), Some("n")).await?;
    assert!(declined.stdout.contains("Store it in the keychain"), "{declined:?}");
    let accepted = run(add("notes", "X-Key=hush")(), Some("y")).await?;
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(cli.desktop.config_file())?)?;
    let value = |name: &str| file["mcpServers"][name]["headers"]["X-Key"].clone();
    assert_eq!(
        ["script", "plain", "notes"].map(value),
        [json!("hush"), json!("hush"), json!("{{notes_header_x-key}}")]
    );
    Ok(())
}

async fn service() -> Result<FakeService> {
    Ok(FakeService::start(Options { requires_authorization: false, ..Options::default() }).await?)
}

async fn set(cli: &Cli<Desktop>, name: &str, value: &str) -> Result<()> {
    let mut set = cli.start(&["secret", "set", name])?;
    set.write_line(value).await?;
    let output = set.finish().await?;
    anyhow::ensure!(output.code == Some(0), "{output:?}");
    Ok(())
}

/// The secrets and variables with a value, and the origins for which each is allowed.
async fn listed(cli: &Cli<Desktop>) -> Result<Value> {
    let rows = list(cli).await?;
    let rows = rows.iter().filter(|row| row["state"] != "missing");
    Ok(rows.map(|row| json!({ "name": row["name"], "origins": row["origins"] })).collect())
}

async fn list(cli: &Cli<Desktop>) -> Result<Vec<Value>> {
    Ok(serde_json::from_str(&cli.succeed(&["secret", "list", "--json"]).await?)?)
}

fn headers(cli: &Cli<Desktop>) -> Result<Value> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(cli.desktop.config_file())?)?;
    Ok(file["mcpServers"]["notes"]["headers"].clone())
}

/// The values of the header that a service received.
fn sent(service: &FakeService) -> Vec<String> {
    let requests = service.requests();
    let values = requests.iter().filter_map(|request| request.headers.get("x-key")?.to_str().ok());
    values.map(str::to_owned).collect()
}
