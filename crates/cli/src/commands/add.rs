//! `usher add NAME URL` and `usher add NAME -- COMMAND…`.

use usher_config::{ConfigError, NewServer, NewTransport};
use usher_secrets::SecretStore;

use crate::arguments::Add;
use crate::commands::secret::read_secret;
use crate::exit::{CommandError, usage_error};
use crate::output::Output;
use crate::paths::Paths;
use crate::session::{notify_secret_changed, secret_store};

/// Adds a server to mcp.json. A client secret goes to the secret store; the file refers to it by name.
pub async fn run(paths: &Paths, output: Output, add: &Add) -> Result<(), CommandError> {
    let file = paths.config_file();
    if file.load()?.servers.iter().any(|server| server.name == add.name) {
        // Checked before a secret is read and stored.
        return Err(ConfigError::ServerExists { name: add.name.clone() }.into());
    }
    let client_secret = match add.client_secret {
        Some(_) => Some(store_client_secret(paths, &add.name).await?),
        None => None,
    };
    let server = NewServer {
        transport: transport(add)?,
        client_id: add.client_id.clone(),
        client_secret,
        scopes: (!add.scope.is_empty()).then(|| add.scope.clone()),
        redirect: add.redirect.unwrap_or_default(),
    };
    file.add(&add.name, &server)?;
    output.result(&serde_json::json!({ "added": add.name }), || {
        format!("Added {0}. Run `usher login {0}` to sign in.", add.name)
    });
    Ok(())
}

fn transport(add: &Add) -> Result<NewTransport, CommandError> {
    if let Some((command, args)) = add.command.split_first() {
        return Ok(NewTransport::Stdio { command: command.clone(), args: args.to_vec() });
    }
    let text = add.url.as_deref().unwrap_or_default();
    let url = url::Url::parse(text).map_err(|error| {
        let shown = usher_config::display_text(text, 200);
        usage_error(
            format!("“{shown}” is not a valid URL: {error}."),
            "For example: https://mcp.example.com/mcp",
        )
    })?;
    Ok(NewTransport::Http { url, headers: add.header.clone() })
}

/// Stores the client secret from stdin, and returns its placeholder for mcp.json.
async fn store_client_secret(paths: &Paths, server: &str) -> Result<String, CommandError> {
    let secret = read_secret()?;
    let name =
        format!("{}_client_secret", server.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_"));
    SecretStore::open(secret_store(paths).await?).put_named(&name, &secret).await?;
    notify_secret_changed(paths, &name).await;
    Ok(format!("{{{{{name}}}}}"))
}
