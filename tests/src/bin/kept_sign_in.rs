//! `kept-sign-in NAME`: the refresh token that this desktop's keychain keeps for a server, or an empty line; fails where
//! the keychain or what it keeps cannot be read. A test cannot read it itself: its own environment names no desktop.

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
    let token = grant.refresh_token.context("the kept sign-in has no refresh token")?;
    Ok(token.expose_secret().to_owned())
}
