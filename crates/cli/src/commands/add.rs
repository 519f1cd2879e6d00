//! `usher add NAME URL` and `usher add NAME -- COMMAND…`.

use secrecy::SecretString;
use usher_api::Request;
use usher_config::{
    Environment, NewServer, NewTransport, Origin, Template, client_secret_name, display_text,
    header_secret_name, is_plain_secret_header,
};
use usher_engine::digest_of_command;
use usher_secrets::SecretStore;

use crate::arguments::Add;
use crate::commands::approve::approve;
use crate::commands::secret::read_secret;
use crate::exit::{CommandError, usage_error};
use crate::output::{Output, confirm, is_interactive};
use crate::paths::Paths;
use crate::session::{ask_about_secrets, secret_store, with_server};

/// A value for the secret store, with its name.
struct NewSecret {
    name: String,
    /// The setting, for the prompt.
    setting: String,
    /// `None` reads the value from stdin.
    value: Option<SecretString>,
}

/// Adds a server to mcp.json. Secrets go to the secret store; the file refers to them by name.
pub async fn run(paths: &Paths, output: Output, add: &Add) -> Result<(), CommandError> {
    let mut secrets = Vec::new();
    let file = paths.config_file();
    let transport = transport(output, add, &mut secrets)?;
    let client_secret = add.client_secret.as_ref().map(|_| client_secret_name(&add.name));
    secrets.extend(client_secret.iter().map(|name| NewSecret {
        name: name.clone(),
        setting: "the client secret".to_owned(),
        value: None,
    }));
    if secrets.iter().filter(|secret| secret.value.is_none()).count() > 1 {
        return Err(usage_error(
            "Only one value can be read from stdin.",
            "Store the other secrets with `usher secret set NAME`, and write {{NAME}} as their values.",
        ));
    }
    let server = NewServer {
        client_id: add.client_id.clone(),
        client_secret: client_secret.as_deref().map(placeholder),
        scopes: (!add.scope.is_empty()).then(|| add.scope.clone()),
        redirect: add.redirect.unwrap_or_default(),
        ..NewServer::new(transport)
    };
    // A rejected entry must not replace the secret of another server.
    file.check_add(&add.name, &server)?;
    let requests = store(paths, output, secrets, &server).await?;
    ask_about_secrets(paths, output, requests).await?;
    file.add(&add.name, &server)?;
    if let NewTransport::Stdio { command, args, .. } = &server.transport {
        return approve_added(paths, output, &add.name, digest_of_command(command, args)).await;
    }
    output.result(&serde_json::json!({ "added": add.name }), || {
        format!("Added {0}. Run `usher login {0}` to sign in.", add.name)
    });
    Ok(())
}

fn transport(output: Output, add: &Add, secrets: &mut Vec<NewSecret>) -> Result<NewTransport, CommandError> {
    if let Some((command, args)) = add.command.split_first() {
        return Ok(NewServer::program(command.clone(), args.to_vec()).transport);
    }
    let text = add.url.as_deref().unwrap_or_default();
    let url = url::Url::parse(text).map_err(|error| {
        let shown = display_text(text, 200);
        usage_error(
            format!("“{shown}” is not a valid URL: {error}."),
            "For example: https://mcp.example.com/mcp",
        )
    })?;
    let headers = add.header.iter().map(|(name, value)| {
        let value = header_value(output, &add.name, name, value, secrets)?;
        Ok((name.clone(), value))
    });
    Ok(NewTransport::Http { url, headers: headers.collect::<Result<_, CommandError>>()? })
}

/// Returns the value for mcp.json. `-` reads the value from stdin and stores it as a secret. A value that looks like a
/// secret is stored, too, if the person agrees.
fn header_value(
    output: Output,
    server: &str,
    header: &str,
    value: &str,
    secrets: &mut Vec<NewSecret>,
) -> Result<String, CommandError> {
    let name = header_secret_name(server, header);
    let shown = display_text(header, 60);
    let value = if value == "-" {
        None
    } else if !is_plain_secret_header(header, value) {
        return Ok(value.to_owned());
    } else if is_interactive() {
        let question =
            format!("The header {shown} looks like a secret. Store it in the keychain instead of mcp.json?");
        if !confirm(&question, true)? {
            return Ok(value.to_owned());
        }
        Some(SecretString::from(value))
    } else {
        output.warn(
            &format!("The header {shown} is in plain text in mcp.json, and other programs could see this command line."),
            &format!("Write `--header {shown}=-` to read the value from stdin and store it in the keychain."),
        );
        return Ok(value.to_owned());
    };
    secrets.push(NewSecret { name: name.clone(), setting: shown, value });
    Ok(placeholder(&name))
}

/// Approves a program that the person typed. A program that a script adds is not approved.
async fn approve_added(
    paths: &Paths,
    output: Output,
    name: &str,
    typed: Option<String>,
) -> Result<(), CommandError> {
    // Only what the person typed: another program may have changed the entry since.
    let next = if let Some(digest) = typed.filter(|_| is_interactive()) {
        with_server(paths, output, name, async |engine, id| approve(engine, output, id, digest).await)
            .await?;
        format!("Run `usher tools {name}` to see its tools.")
    } else {
        format!("Run `usher approve {name}` in a terminal to let it run.")
    };
    output.result(&serde_json::json!({ "added": name }), || format!("Added {name}. {next}"));
    Ok(())
}

/// Stores the secrets. Returns the requests that bind them to the server, and those that allow the secrets and variables
/// which the person typed.
async fn store(
    paths: &Paths,
    output: Output,
    secrets: Vec<NewSecret>,
    server: &NewServer,
) -> Result<Vec<Request>, CommandError> {
    let Some(origin) = server.origin() else { return Ok(Vec::new()) };
    let mut requests = typed_placeholders(server, &origin);
    for NewSecret { name, setting, value } in secrets {
        let value = match value {
            Some(value) => value,
            None => {
                if is_interactive() {
                    output.note(&format!("Paste the value of {setting}, then press Ctrl-D."));
                }
                read_secret()?
            }
        };
        SecretStore::open(secret_store(paths).await?).put_named(&name, &value).await?;
        requests.retain(|request| !matches!(request, Request::AllowSecret { secret, .. } if *secret == placeholder(&name)));
        requests.push(Request::SecretStored { name, address: Some(origin.to_string()) });
    }
    Ok(requests)
}

/// Returns the requests that allow the placeholders in the headers. A script's placeholders are not allowed: their first
/// use decides.
fn typed_placeholders(server: &NewServer, origin: &Origin) -> Vec<Request> {
    let NewTransport::Http { headers, .. } = &server.transport else { return Vec::new() };
    if !is_interactive() {
        return Vec::new();
    }
    let environment = Environment::of_process();
    let templates = headers.iter().filter_map(|(_, value)| Template::parse(value).ok());
    let placeholders = templates.flat_map(|template| template.placeholders(&environment));
    let allow = |placeholder: usher_config::Placeholder| Request::AllowSecret {
        secret: placeholder.to_string(),
        origin: origin.to_string(),
    };
    placeholders.map(allow).collect()
}

fn placeholder(name: &str) -> String {
    format!("{{{{{name}}}}}")
}
