//! The child process. It reads commands for a secret store from stdin and writes one line of reply to each.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;
use usher_secrets::{Error, SecretStore, StoreKind, StoredGrant};

/// The environment variable that makes this program the child.
pub const MARK: &str = "USHER_KEYCHAIN_TEST_CHILD";

pub fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let store = SecretStore::open(StoreKind::Keychain);
    let mut output = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let reply = match runtime.block_on(run_command(&store, &words)) {
            Ok(reply) => reply,
            Err(error) => match error.downcast::<Error>()? {
                Error::Unavailable { .. } => "unavailable".to_owned(),
                Error::Locked { .. } => "locked".to_owned(),
                Error::TimedOut { .. } => "timed out".to_owned(),
                Error::Corrupt { .. } => "corrupt".to_owned(),
                other => bail!(other),
            },
        };
        writeln!(output, "{reply}")?;
        output.flush()?;
    }
    // As in the app, the program must end although a thread is stuck.
    runtime.shutdown_background();
    Ok(())
}

async fn run_command(store: &SecretStore, words: &[&str]) -> Result<String> {
    match words {
        ["check"] => store.check().await.map(|()| "ok".to_owned()),
        ["put", server, refresh_token, length] => {
            store.put_grant(server, &grant(refresh_token, length.parse()?)).await.map(|()| "ok".to_owned())
        }
        ["get", server] => store.grant(server).await.map(|grant| grant.map_or("none".to_owned(), describe)),
        ["delete", server] => store.delete_grant(server).await.map(|deleted| deleted.to_string()),
        ["delete-if", server, refresh_token] => {
            let expected = SecretString::from(*refresh_token);
            store.delete_grant_if(server, &expected).await.map(|deleted| deleted.to_string())
        }
        ["put-named", name, text] => {
            store.put_named(name, &SecretString::from(*text)).await.map(|()| "ok".to_owned())
        }
        ["get-named", name] => {
            let secret = store.named(name).await;
            secret.map(|secret| secret.map_or("none".to_owned(), |text| text.expose_secret().to_owned()))
        }
        ["delete-named", name] => store.delete_named(name).await.map(|deleted| deleted.to_string()),
        ["list-named"] => store.named_list().await.map(|names| names.join(" ")),
        ["client", text] => {
            let (issuer, client_id) = ("https://as.example/path", "client id");
            store.put_client_secret(issuer, client_id, &SecretString::from(*text)).await?;
            let secret = store.client_secret(issuer, client_id).await?.context("no client secret")?;
            let other = store.client_secret(issuer, "another").await?;
            let deleted = store.delete_client_secret(issuer, client_id).await?;
            Ok(format!("{} {} {deleted}", secret.expose_secret(), other.is_none()))
        }
        ["pending", text] => {
            store.put_pending("s", &SecretString::from(*text)).await?;
            let pending = store.pending("s").await?.context("no pending sign-in")?;
            let deleted = store.delete_pending("s").await?;
            Ok(format!("{} {deleted}", pending.expose_secret()))
        }
        ["concurrent", count] => concurrent(store, count.parse()?).await,
        other => bail!("no such command: {other:?}"),
    }
    .map_err(anyhow::Error::from)
}

/// Stores, reads and replaces one grant, and reads it again, in each of `count` concurrent tasks.
async fn concurrent(store: &SecretStore, count: usize) -> Result<String, Error> {
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let store = store.clone();
        tasks.spawn(async move {
            let server = format!("server-{number}");
            for (token, length) in [("first", 100), ("second", 4_000)] {
                store.put_grant(&server, &grant(token, length)).await?;
                let stored = store.grant(&server).await?.map(describe);
                assert_eq!(stored, Some(describe(grant(token, length))));
            }
            Ok::<(), Error>(())
        });
    }
    let mut done = 0;
    while let Some(result) = tasks.join_next().await {
        result.expect("no task panics")?;
        done += 1;
    }
    Ok(format!("{done} done"))
}

fn grant(refresh_token: &str, length: usize) -> StoredGrant {
    StoredGrant {
        access_token: SecretString::from("x".repeat(length)),
        refresh_token: Some(SecretString::from(refresh_token)),
        expires_at: Some(jiff::Timestamp::UNIX_EPOCH),
        scopes: vec!["read".to_owned()],
        account: Some("ada@example.com".to_owned()),
        issuer: "https://as.example".to_owned(),
        token_endpoint: "https://as.example/token".to_owned(),
        revocation_endpoint: None,
        client_id: "client".to_owned(),
        resource: "https://mcp.example/mcp".to_owned(),
        sends_resource: true,
        sends_scope: false,
        has_configured_endpoints: false,
        auth_method: "none".to_owned(),
        dpop_key: None,
        token_type: "Bearer".to_owned(),
    }
}

fn describe(grant: StoredGrant) -> String {
    let refresh_token = grant.refresh_token.as_ref().map_or("none", |token| token.expose_secret());
    format!("{refresh_token} {}", grant.access_token.expose_secret().len())
}
