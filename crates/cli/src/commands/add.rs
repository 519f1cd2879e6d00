//! `usher add NAME URL` and `usher add NAME -- COMMAND…`.

use usher_config::{ConfigError, NewServer, NewTransport, Redirect};
use usher_secrets::SecretStore;

use crate::arguments::{self, Add, Places};
use crate::commands::secret::read_secret;
use crate::exit::{Failure, wrong_words};
use crate::output::Output;
use crate::session::{config_file, secret_store, tell_of_secret};

/// Writes the server into mcp.json; a client secret goes to the keychain and only its name into the file.
pub async fn run(places: &Places, output: Output, add: &Add) -> Result<(), Failure> {
    let file = config_file(places);
    if file.load()?.servers.iter().any(|server| server.name == add.name) {
        // Refused before a secret is read and kept for it.
        return Err(ConfigError::ServerExists { name: add.name.clone() }.into());
    }
    let client_secret = match add.client_secret {
        Some(_) => Some(keep_client_secret(places, &add.name).await?),
        None => None,
    };
    let server = NewServer {
        transport: transport(add)?,
        client_id: add.client_id.clone(),
        client_secret,
        scopes: (!add.scope.is_empty()).then(|| add.scope.clone()),
        redirect: add.redirect.map_or(Redirect::Auto, redirect),
    };
    file.add(&add.name, &server)?;
    output.result(&serde_json::json!({ "added": add.name }), || {
        format!("Added {0}. `usher login {0}` signs you in.", add.name)
    });
    Ok(())
}

fn transport(add: &Add) -> Result<NewTransport, Failure> {
    if let Some((command, args)) = add.command.split_first() {
        return Ok(NewTransport::Stdio { command: command.clone(), args: args.to_vec() });
    }
    let text = add.url.as_deref().unwrap_or_default();
    let url = url::Url::parse(text).map_err(|error| {
        let shown = usher_config::display_text(text, 200);
        wrong_words(
            format!("“{shown}” is not an address: {error}."),
            "It looks like https://mcp.example.com/mcp.",
        )
    })?;
    Ok(NewTransport::Http { url, headers: add.header.clone() })
}

/// Keeps the secret from standard input under a name of its own, and gives the text that stands for it in mcp.json.
async fn keep_client_secret(places: &Places, server: &str) -> Result<String, Failure> {
    let secret = read_secret()?;
    let name =
        format!("{}_client_secret", server.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_"));
    SecretStore::open(secret_store(places).await?).put_named(&name, &secret).await?;
    tell_of_secret(places, &name).await;
    Ok(format!("{{{{{name}}}}}"))
}

fn redirect(redirect: arguments::Redirect) -> Redirect {
    match redirect {
        arguments::Redirect::Auto => Redirect::Auto,
        arguments::Redirect::Link => Redirect::Link,
        arguments::Redirect::LinkWithHost => Redirect::LinkWithHost,
        arguments::Redirect::Loopback => Redirect::Loopback,
        arguments::Redirect::Paste => Redirect::Paste,
    }
}
