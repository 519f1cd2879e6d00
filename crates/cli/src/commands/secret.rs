//! `usher secret set|list|remove`: the named secrets, which mcp.json refers to as {{name}}.

use secrecy::SecretString;
use usher_config::display_text;
use usher_secrets::SecretStore;

use crate::arguments::Secret;
use crate::exit::{CommandError, usage_error};
use crate::output::{Output, is_interactive, read_stdin};
use crate::paths::Paths;
use crate::session::{notify_secret_changed, secret_store};

/// The longest accepted secret, in bytes.
const MAX_LENGTH: u64 = 64 * 1024;

pub async fn run(paths: &Paths, output: Output, command: &Secret) -> Result<(), CommandError> {
    let store = SecretStore::open(secret_store(paths).await?);
    match command {
        Secret::Set { name } => {
            if is_interactive() {
                output.note("Paste the secret, then press Ctrl-D.");
            }
            store.put_named(name, &read_secret()?).await?;
            notify_secret_changed(paths, name).await;
            output.result(&serde_json::json!({ "stored": name }), || {
                format!("Stored. Refer to it in mcp.json as {{{{{}}}}}.", display_text(name, 80))
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
                return Err(usage_error(
                    format!("There is no secret named “{shown}”."),
                    "Run `usher secret list` to see the names.",
                ));
            }
            notify_secret_changed(paths, name).await;
            output.result(&serde_json::json!({ "deleted": name }), || {
                format!("Deleted {}.", display_text(name, 80))
            });
        }
    }
    Ok(())
}

/// Reads a secret from stdin, without the line ending that a terminal or `echo` adds.
pub fn read_secret() -> Result<SecretString, CommandError> {
    let text = read_stdin("the secret", MAX_LENGTH + 1)?;
    if text.len() as u64 > MAX_LENGTH {
        return Err(usage_error(
            "The secret on stdin is longer than 64 kB.",
            "Check that this is the right file.",
        ));
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(usage_error("There is no secret on stdin.", "For example: usher secret set NAME < file"));
    }
    Ok(SecretString::from(secret))
}
