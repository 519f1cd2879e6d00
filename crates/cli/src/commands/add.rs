//! `usher add NAME URL` and `usher add NAME -- COMMAND…`.

use usher_config::{NewServer, NewTransport, client_secret_name};
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
    let secret_name = add.client_secret.as_ref().map(|_| client_secret_name(&add.name));
    let server = NewServer {
        transport: transport(add)?,
        client_id: add.client_id.clone(),
        client_secret: secret_name.as_ref().map(|name| format!("{{{{{name}}}}}")),
        scopes: (!add.scope.is_empty()).then(|| add.scope.clone()),
        redirect: add.redirect.unwrap_or_default(),
    };
    // A rejected entry must not replace the secret of another server.
    file.check_add(&add.name, &server)?;
    if let Some(name) = &secret_name {
        store_client_secret(paths, name).await?;
    }
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

/// Stores the client secret from stdin.
async fn store_client_secret(paths: &Paths, name: &str) -> Result<(), CommandError> {
    let secret = read_secret()?;
    SecretStore::open(secret_store(paths).await?).put_named(name, &secret).await?;
    notify_secret_changed(paths, name).await;
    Ok(())
}
