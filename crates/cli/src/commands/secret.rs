//! `usher secret set|list|allow|remove`: the named secrets, which mcp.json refers to as {{name}}, and the services that
//! may get them.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Serialize;
use usher_api::Request;
use usher_config::{Environment, Origin, Placeholder, display_text};
use usher_secrets::SecretStore;

use crate::arguments::Secret;
use crate::exit::{CommandError, internal, usage_error};
use crate::output::{Output, is_interactive, read_stdin, table};
use crate::paths::Paths;
use crate::session::{ask_about_secrets, notify_secret_changed, secret_store};

/// The longest accepted secret, in bytes.
const MAX_LENGTH: u64 = 64 * 1024;

pub async fn run(paths: &Paths, output: Output, command: &Secret) -> Result<(), CommandError> {
    match command {
        Secret::Set { name } => set(paths, output, name).await,
        Secret::List => list(paths, output).await,
        Secret::Allow { secret, origin } => allow(paths, output, secret, origin).await,
        Secret::Remove { name } => remove(paths, output, name).await,
    }
}

async fn set(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    let store = SecretStore::open(secret_store(paths).await?);
    if is_interactive() {
        output.note("Paste the secret, then press Ctrl-D.");
    }
    store.put_named(name, &read_secret()?).await?;
    bind_new_secret(paths, output, name).await?;
    notify_secret_changed(paths, name).await;
    output.result(&serde_json::json!({ "stored": name }), || {
        format!("Stored. Refer to it in mcp.json as {{{{{}}}}}.", display_text(name, 80))
    });
    Ok(())
}

/// Binds a secret that no service may get yet, if mcp.json sends it to exactly one origin. Otherwise its first use
/// binds it.
async fn bind_new_secret(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    let secret = Placeholder::Secret(name.to_owned());
    if origins(paths)?.contains_key(&secret.to_string()) {
        return Ok(());
    }
    // The secret is stored even if mcp.json is invalid.
    let Ok(config) = paths.config_file().load() else { return Ok(()) };
    let environment = Environment::of_process();
    let servers = config.servers.iter().filter(|server| !server.is_example());
    let uses = servers.flat_map(|server| server.placeholder_uses(&environment));
    let mut origins: Vec<_> = uses.filter(|one| one.placeholder == secret).map(|one| one.origin).collect();
    origins.sort();
    origins.dedup();
    let [origin] = origins.as_slice() else { return Ok(()) };
    let request = Request::SecretStored { name: name.to_owned(), address: origin.to_string() };
    ask_about_secrets(paths, output, vec![request]).await
}

#[derive(Serialize)]
struct Row {
    /// The name of a secret, or an environment variable as `${VAR}`.
    name: String,
    origins: Vec<String>,
}

async fn list(paths: &Paths, output: Output) -> Result<(), CommandError> {
    let mut allowed = origins(paths)?;
    let names = SecretStore::open(secret_store(paths).await?).named_list().await?;
    let mut rows: Vec<Row> = Vec::new();
    for name in names {
        let origins = allowed.remove(&Placeholder::Secret(name.clone()).to_string()).unwrap_or_default();
        rows.push(Row { name, origins });
    }
    let variables = allowed.into_iter().filter(|(placeholder, _)| placeholder.starts_with('$'));
    rows.extend(variables.map(|(name, origins)| Row { name, origins }));
    output.result(&rows, || {
        if rows.is_empty() {
            return "No named secrets.".into();
        }
        let cells = rows.iter().map(|row| {
            let origins = if row.origins.is_empty() { "not used yet".into() } else { row.origins.join(", ") };
            vec![display_text(&row.name, 80), display_text(&origins, 300)]
        });
        table(&["name", "allowed for"], cells)
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

async fn remove(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    let placeholder = name.parse::<Placeholder>().unwrap_or_else(|_| Placeholder::Secret(name.to_owned()));
    let was_allowed = origins(paths)?.contains_key(&placeholder.to_string());
    let existed = match &placeholder {
        Placeholder::Secret(name) => SecretStore::open(secret_store(paths).await?).delete_named(name).await?,
        Placeholder::Variable(_) => was_allowed,
    };
    if was_allowed {
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
