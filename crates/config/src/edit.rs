//! Edits to the text of `mcp.json` that keep comments, unknown keys, order, indentation, line endings
//! and trailing commas.

use jsonc_parser::cst::{CstInputValue, CstObject, CstObjectProp, CstRootNode};
use url::Url;

use crate::parse::{SERVERS, check_name, parse, syntax};
use crate::{ConfigError, Environment, Origin, Redirect};

/// A server to add.
#[derive(Clone, Debug)]
pub struct NewServer {
    pub transport: NewTransport,
    pub client_id: Option<String>,
    /// A placeholder such as `{{corp_secret}}`. The secret itself is in the secret store.
    pub client_secret: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub redirect: Redirect,
}

/// The transport of a new server.
#[derive(Clone, Debug)]
pub enum NewTransport {
    /// Header values are templates.
    Http {
        url: Url,
        headers: Vec<(String, String)>,
    },
    Stdio {
        command: String,
        args: Vec<String>,
    },
}

impl NewServer {
    /// Creates an HTTP server with the default settings.
    pub fn http(url: Url) -> Self {
        Self {
            transport: NewTransport::Http { url, headers: Vec::new() },
            client_id: None,
            client_secret: None,
            scopes: None,
            redirect: Redirect::Auto,
        }
    }

    /// Returns the origin of an HTTP server.
    pub fn origin(&self) -> Option<Origin> {
        match &self.transport {
            NewTransport::Http { url, .. } => Origin::of(url),
            NewTransport::Stdio { .. } => None,
        }
    }

    fn to_value(&self) -> CstInputValue {
        let mut fields = Vec::new();
        match &self.transport {
            NewTransport::Http { url, headers } => {
                fields.push(("type", text("http")));
                fields.push(("url", text(url.as_str())));
                if !headers.is_empty() {
                    let headers = headers.iter().map(|(name, value)| (name.clone(), text(value)));
                    fields.push(("headers", CstInputValue::Object(headers.collect())));
                }
            }
            NewTransport::Stdio { command, args } => {
                fields.push(("type", text("stdio")));
                fields.push(("command", text(command)));
                fields.push(("args", texts(args)));
            }
        }
        let mut oauth = Vec::new();
        oauth.extend(self.client_id.as_deref().map(|client_id| ("clientId", text(client_id))));
        oauth.extend(self.client_secret.as_deref().map(|secret| ("clientSecret", text(secret))));
        oauth.extend(self.scopes.as_ref().map(|scopes| ("scopes", texts(scopes))));
        if self.redirect != Redirect::Auto {
            oauth.push(("redirect", text(self.redirect.as_str())));
        }
        if !oauth.is_empty() {
            fields.push(("oauth", object(oauth)));
        }
        object(fields)
    }
}

/// One change. It can be applied again if the file changed in the meantime.
pub(crate) enum Edit<'a> {
    Add { name: &'a str, server: &'a NewServer },
    Remove { name: &'a str },
    SetDisabled { name: &'a str, disabled: bool },
    SetClient { name: &'a str, client_id: &'a str, client_secret: Option<&'a str> },
}

impl Edit<'_> {
    /// Returns the changed text. `body` must be a valid config.
    pub fn apply(&self, body: &str, environment: &Environment) -> Result<String, ConfigError> {
        let root =
            CstRootNode::parse(body, &syntax::options()).map_err(|error| ConfigError::InvalidServer {
                why: format!("the file could not be parsed: {}", error.kind()),
                hint: None,
            })?;
        match self {
            Self::Add { name, server } => add(&root, name, server)?,
            Self::Remove { name } => find(&root, name)?.remove(),
            Self::SetDisabled { name, disabled } => set_disabled(&find(&root, name)?, *disabled),
            Self::SetClient { name, client_id, client_secret } => {
                set_client(&find(&root, name)?, client_id, *client_secret);
            }
        }
        let body = root.to_string();
        // Usher must be able to read the result. This rejects a header with a line break, for example.
        match parse(&body, environment).into_config() {
            Ok(_) => Ok(body),
            Err(diagnostic) => {
                Err(ConfigError::InvalidServer { why: diagnostic.message, hint: diagnostic.hint })
            }
        }
    }
}

fn add(root: &CstRootNode, name: &str, server: &NewServer) -> Result<(), ConfigError> {
    check_name(name).map_err(|why| ConfigError::InvalidServer {
        why: format!("the name {why}"),
        hint: Some("Choose a short name.".to_owned()),
    })?;
    if name.starts_with('_') {
        return Err(ConfigError::InvalidServer {
            why: "names that begin with `_` are comments".to_owned(),
            hint: Some("Choose another name.".to_owned()),
        });
    }
    let servers = root.object_value_or_set().object_value_or_set(SERVERS);
    if property(&servers, name).is_some() {
        return Err(ConfigError::ServerExists { name: name.to_owned() });
    }
    servers.append(name, server.to_value());
    Ok(())
}

fn find(root: &CstRootNode, name: &str) -> Result<CstObjectProp, ConfigError> {
    let servers = root.object_value().and_then(|root| root.object_value(SERVERS));
    servers
        .and_then(|servers| property(&servers, name))
        .filter(|_| !name.starts_with('_'))
        .ok_or_else(|| ConfigError::NoSuchServer { name: name.to_owned() })
}

/// Finds a property by name. Like the parser, it compares names with their escapes resolved.
fn property(object: &CstObject, name: &str) -> Option<CstObjectProp> {
    object.properties().into_iter().find(|property| property.decoded_name().as_deref() == Some(name))
}

fn set_disabled(server: &CstObjectProp, disabled: bool) {
    let Some(object) = server.object_value() else { return };
    match property(&object, "disabled") {
        Some(property) => property.set_value(CstInputValue::Bool(disabled)),
        // A server is enabled unless `disabled` is set.
        None if disabled => {
            object.append("disabled", CstInputValue::Bool(true));
        }
        None => {}
    }
}

/// Sets the client ID and secret under the keys that the entry already uses. `None` removes an existing secret.
fn set_client(server: &CstObjectProp, client_id: &str, client_secret: Option<&str>) {
    let Some(object) = server.object_value() else { return };
    let settings = ["oauth", "auth"].into_iter().find_map(|name| object.object_value(name));
    let in_settings = |names: [&str; 2]| {
        let settings = settings.as_ref()?;
        names.into_iter().find_map(|name| property(settings, name))
    };
    let settings = || settings.clone().unwrap_or_else(|| object.object_value_or_set("oauth"));
    match in_settings(["clientId", "client_id"]).or_else(|| property(&object, "oauth_client_id")) {
        Some(property) => property.set_value(text(client_id)),
        None => drop(settings().append("clientId", text(client_id))),
    }
    match (in_settings(["clientSecret", "client_secret"]), client_secret) {
        (Some(property), Some(secret)) => property.set_value(text(secret)),
        (Some(property), None) => property.remove(),
        (None, Some(secret)) => drop(settings().append("clientSecret", text(secret))),
        (None, None) => {}
    }
}

fn text(text: &str) -> CstInputValue {
    CstInputValue::String(text.to_owned())
}

fn texts(items: &[String]) -> CstInputValue {
    CstInputValue::Array(items.iter().map(|item| text(item)).collect())
}

fn object(fields: Vec<(&str, CstInputValue)>) -> CstInputValue {
    CstInputValue::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
