//! `stored-refresh-token NAME` prints a server's refresh token from the keychain, or an empty line if there is none.
//!
//! This is a separate program, because the keychain can be reached only with the environment of the test's desktop.

use anyhow::{Context, Result};
use usher_secrets::StoreKind;
use usher_tests::engine::refresh_token;

#[tokio::main]
async fn main() -> Result<()> {
    let name = std::env::args().nth(1).context("the server's name is missing")?;
    println!("{}", refresh_token(StoreKind::Keychain, &name).await?.unwrap_or_default());
    Ok(())
}
