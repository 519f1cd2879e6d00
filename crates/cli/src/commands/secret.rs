//! `usher secret set|allow|disallow|remove`: the named secrets, which mcp.json refers to as {{name}}, and the services
//! that may get them.

use std::collections::BTreeMap;

use secrecy::SecretString;
use usher_api::Request;
use usher_config::{Origin, Placeholder, display_text};
use usher_engine::MAX_SECRET_BYTES;
use usher_secrets::SecretStore;

use crate::arguments::Secret;
use crate::commands::secret_list;
use crate::exit::{CommandError, internal, usage_error};
use crate::output::{Output, is_interactive, read_stdin};
use crate::paths::Paths;
use crate::session::{ask_about_secrets, notify_secret_changed, secret_store};

pub async fn run(paths: &Paths, output: Output, command: &Secret) -> Result<(), CommandError> {
    match command {
        Secret::Set { name } => set(paths, output, name).await,
        Secret::List => secret_list::run(paths, output).await,
        Secret::Allow { secret, origin } => allow(paths, output, secret, origin).await,
        Secret::Disallow { secret, origin } => disallow(paths, output, secret, origin).await,
        Secret::Remove { name } => remove(paths, output, name).await,
    }
}

async fn set(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    if !matches!(name.parse::<Placeholder>(), Ok(Placeholder::Secret(parsed)) if parsed == name) {
        return Err(usage_error(
            format!("“{}” is not the name of a secret.", display_text(name, 80)),
            "Use letters, digits, “_”, “-” and “.”.",
        ));
    }
    let store = SecretStore::open(secret_store(paths).await?);
    if is_interactive() {
        output.note("Paste the secret, then press Ctrl-D.");
    }
    store.put_named(name, &read_secret()?).await?;
    let stored = Request::SecretStored { name: name.to_owned(), address: None };
    ask_about_secrets(paths, output, vec![stored]).await?;
    output.result(&serde_json::json!({ "stored": name }), || {
        format!("Stored. Refer to it in mcp.json as {{{{{}}}}}.", display_text(name, 80))
    });
    Ok(())
}

async fn allow(paths: &Paths, output: Output, secret: &str, origin: &str) -> Result<(), CommandError> {
    let (secret, origin) = (placeholder(secret)?, parse_origin(origin)?);
    if !is_interactive() {
        return Err(usage_error(
            "Only a person at a terminal can allow a secret for another service.",
            format!(
                "Run `usher secret allow {} {origin}` in a terminal, or use Usher's window.",
                argument(&secret)
            ),
        ));
    }
    let request = Request::AllowSecret { secret: secret.to_string(), origin: origin.to_string() };
    ask_about_secrets(paths, output, vec![request]).await?;
    let allowed = serde_json::json!({ "allowed": secret.to_string(), "origin": origin.to_string() });
    output.result(&allowed, || format!("{secret} may now be sent to {origin}."));
    Ok(())
}

async fn disallow(paths: &Paths, output: Output, secret: &str, origin: &str) -> Result<(), CommandError> {
    let (secret, origin) = (placeholder(secret)?, parse_origin(origin)?);
    if !origins(paths)?.get(&secret.to_string()).is_some_and(|known| known.contains(&origin.to_string())) {
        return Err(usage_error(
            format!("{secret} is not allowed for {origin}."),
            "Run `usher secret list` to see the services that may get it.",
        ));
    }
    let request = Request::DisallowSecret { secret: secret.to_string(), origin: origin.to_string() };
    ask_about_secrets(paths, output, vec![request]).await?;
    let disallowed = serde_json::json!({ "disallowed": secret.to_string(), "origin": origin.to_string() });
    output.result(&disallowed, || format!("{secret} is not sent to {origin} any more."));
    Ok(())
}

async fn remove(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    let placeholder = name.parse::<Placeholder>().unwrap_or_else(|_| Placeholder::Secret(name.to_owned()));
    let was_allowed = origins(paths)?.contains_key(&placeholder.to_string());
    let existed = match &placeholder {
        Placeholder::Secret(name) => SecretStore::open(secret_store(paths).await?).delete_named(name).await?,
        Placeholder::Variable(_) => was_allowed,
    };
    // A secret of a program is allowed for no origin, but it has a last use. A name that no placeholder can have has neither.
    if was_allowed || (existed && placeholder.to_string().parse::<Placeholder>().is_ok()) {
        let request = Request::ForgetSecretOrigins { secret: placeholder.to_string() };
        ask_about_secrets(paths, output, vec![request]).await?;
    }
    if !existed {
        let shown = display_text(name, 80);
        return Err(usage_error(
            format!("There is no secret named “{shown}”."),
            "Run `usher secret list` to see the names.",
        ));
    }
    if let Placeholder::Secret(name) = &placeholder {
        notify_secret_changed(paths, name).await;
    }
    output.result(&serde_json::json!({ "deleted": name }), || format!("Deleted {}.", display_text(name, 80)));
    Ok(())
}

/// Returns the origins to which each secret may be sent, by placeholder.
fn origins(paths: &Paths) -> Result<BTreeMap<String, Vec<String>>, CommandError> {
    usher_engine::allowed_origins(&paths.state_dir()).map_err(|error| {
        internal(format!("Could not read which services may get the secrets: {error}."))
            .with_hint("Check that you own Usher's state folder.")
    })
}

fn placeholder(text: &str) -> Result<Placeholder, CommandError> {
    text.parse().map_err(|_| {
        usage_error(
            format!("“{}” is not the name of a secret.", display_text(text, 80)),
            "Write the name from `usher secret list`, or an environment variable as '${VAR}'.",
        )
    })
}

fn parse_origin(text: &str) -> Result<Origin, CommandError> {
    text.parse().map_err(|_| {
        usage_error(
            format!("“{}” is not the address of a service.", display_text(text, 200)),
            "For example: https://mcp.example.com",
        )
    })
}

/// Formats a placeholder for a shell.
fn argument(placeholder: &Placeholder) -> String {
    match placeholder {
        Placeholder::Secret(name) => name.clone(),
        Placeholder::Variable(_) => format!("'{placeholder}'"),
    }
}

/// Reads a secret from stdin, without the line ending that a terminal or `echo` adds.
pub fn read_secret() -> Result<SecretString, CommandError> {
    let text = read_stdin("the secret", MAX_SECRET_BYTES as u64 + 1)?;
    if text.len() > MAX_SECRET_BYTES {
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
