//! `stored-refresh-token NAME` prints the refresh token of a server from the keychain, or an empty line if none is stored.
//!
//! This is a program, because only programs on a test's desktop have the environment of its keychain.

use std::process::ExitCode;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;
use usher_secrets::{SecretStore, StoreKind};

#[tokio::main]
async fn main() -> ExitCode {
    match refresh_token().await {
        Ok(token) => {
            println!("{token}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn refresh_token() -> Result<String> {
    let name = std::env::args().nth(1).context("the server's name is missing")?;
    let Some(grant) = SecretStore::open(StoreKind::Keychain).grant(&name).await? else {
        return Ok(String::new());
    };
    let token = grant.refresh_token.context("the stored grant has no refresh token")?;
    Ok(token.expose_secret().to_owned())
}
