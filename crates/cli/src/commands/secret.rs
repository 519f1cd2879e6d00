//! `usher secret set|list|remove`: what mcp.json calls {{name}}.

use std::io::Read;

use secrecy::SecretString;
use usher_config::display_text;
use usher_secrets::SecretStore;

use crate::arguments::{Places, Secret};
use crate::exit::{Failure, internal, wrong_words};
use crate::output::{Output, is_interactive};
use crate::session::{secret_store, tell_of_secret};

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Keeps, lists or forgets named secrets.
pub async fn run(places: &Places, output: Output, command: &Secret) -> Result<(), Failure> {
    let store = SecretStore::open(secret_store(places).await?);
    match command {
        Secret::Set { name } => {
            if is_interactive() {
                output.note("Paste the secret, then end the input with Ctrl-D.");
            }
            store.put_named(name, &read_secret()?).await?;
            tell_of_secret(places, name).await;
            output.result(&serde_json::json!({ "kept": name }), || {
                format!("Kept. mcp.json can use it as {{{{{}}}}}.", display_text(name, 80))
            });
        }
        Secret::List => {
            let names = store.named_list().await?;
            output.result(&names, || {
                let lines: Vec<_> = names.iter().map(|name| display_text(name, 80)).collect();
                if lines.is_empty() { "No named secrets.".into() } else { lines.join("\n") }
            });
        }
        Secret::Remove { name } => {
            if !store.delete_named(name).await? {
                let shown = display_text(name, 80);
                return Err(wrong_words(
                    format!("There is no secret named “{shown}”."),
                    "`usher secret list` shows them.",
                ));
            }
            tell_of_secret(places, name).await;
            output.result(&serde_json::json!({ "forgotten": name }), || {
                format!("Forgot {}.", display_text(name, 80))
            });
        }
    }
    Ok(())
}

/// Reads a secret from standard input, without the line end that a terminal or `echo` leaves behind it.
pub fn read_secret() -> Result<SecretString, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| internal(format!("Cannot read the secret from standard input: {error}.")))?;
    if text.len() as u64 > LONGEST {
        return Err(wrong_words(
            "The secret on standard input is longer than 64 kB.",
            "Is it the right file?",
        ));
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(wrong_words(
            "There is no secret on standard input.",
            "For example: usher secret set NAME < file",
        ));
    }
    Ok(SecretString::from(secret))
}
