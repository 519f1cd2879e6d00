//! Edits to the text of `mcp.json` that keep comments, unknown keys, order, indentation, line endings
//! and trailing commas.

use jsonc_parser::cst::{CstInputValue, CstObject, CstObjectProp, CstRootNode};
use url::Url;

use crate::parse::{ParseContext, SERVERS, check_name, display_name, parse, spellings, syntax};
use crate::{Config, ConfigError, Diagnostic, Origin, Redirect, ServerConfig};

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
    fn name(&self) -> &str {
        match self {
            Self::Add { name, .. }
            | Self::Remove { name }
            | Self::SetDisabled { name, .. }
            | Self::SetClient { name, .. } => name,
        }
    }

    /// Returns the changed text. `before` is the parsed `body`. Other entries may have errors; they are not changed.
    pub fn apply(
        &self,
        body: &str,
        before: &Config,
        context: ParseContext<'_>,
    ) -> Result<String, ConfigError> {
        let root = parse_root(body)?;
        match self {
            Self::Add { name, server } => add(&root, before, name, server)?,
            Self::Remove { name } => remove(&root, before, name)?,
            Self::SetDisabled { name, disabled } => {
                set_disabled(&find_valid(&root, before, name)?, *disabled);
            }
            Self::SetClient { name, client_id, client_secret } => {
                set_client(&find_valid(&root, before, name)?, client_id, *client_secret);
            }
        }
        let body = root.to_string();
        let invalid = |diagnostic: &Diagnostic| ConfigError::InvalidServer {
            why: diagnostic.message.clone(),
            hint: diagnostic.hint.clone(),
        };
        // Usher must be able to read the result. This rejects a header with a line break, for example.
        let after = parse(&body, context).map_err(|diagnostic| invalid(&diagnostic))?;
        match after.broken(self.name()).and_then(|broken| broken.errors.first()) {
            Some(error) => Err(invalid(error)),
            None => Ok(body),
        }
    }
}

/// Parses the text into a tree. A change of the tree keeps the rest of the text.
pub(crate) fn parse_root(body: &str) -> Result<CstRootNode, ConfigError> {
    CstRootNode::parse(body, &syntax::options()).map_err(|error| ConfigError::InvalidServer {
        why: format!("the file could not be parsed: {}", error.kind()),
        hint: None,
    })
}

/// Adds an entry at the end, or in place of an untouched example of the starter file.
fn add(root: &CstRootNode, before: &Config, name: &str, server: &NewServer) -> Result<(), ConfigError> {
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
    match property(&servers, name) {
        None => drop(servers.append(name, server.to_value())),
        Some(example) if before.server(name).is_some_and(ServerConfig::is_example) => {
            example.set_value(server.to_value());
        }
        Some(_) => return Err(ConfigError::ServerExists { name: name.to_owned() }),
    }
    Ok(())
}

/// Removes an entry, which may have an error. If several entries have the same name, removes all of them.
fn remove(root: &CstRootNode, before: &Config, name: &str) -> Result<(), ConfigError> {
    let key = before.broken(name).map_or(name, |broken| &broken.key);
    find(root, key).ok_or_else(|| ConfigError::NoSuchServer { name: name.to_owned() })?.remove();
    while let Some(duplicate) = find(root, key) {
        duplicate.remove();
    }
    Ok(())
}

/// Finds an entry without an error.
fn find_valid(root: &CstRootNode, before: &Config, name: &str) -> Result<CstObjectProp, ConfigError> {
    if let Some(diagnostic) = before.broken(name).and_then(|broken| broken.errors.first()) {
        let diagnostic = Box::new(diagnostic.clone());
        return Err(ConfigError::BrokenServer { name: display_name(name), diagnostic });
    }
    find(root, name).ok_or_else(|| ConfigError::NoSuchServer { name: name.to_owned() })
}

fn find(root: &CstRootNode, key: &str) -> Option<CstObjectProp> {
    let servers = root.object_value().and_then(|root| root.object_value(SERVERS))?;
    property(&servers, key).filter(|_| !key.starts_with('_'))
}

/// Finds a property by name. Like the parser, it compares names with their escapes resolved.
pub(crate) fn property(object: &CstObject, name: &str) -> Option<CstObjectProp> {
    object.properties().into_iter().find(|property| property.decoded_name().as_deref() == Some(name))
}

fn set_disabled(server: &CstObjectProp, disabled: bool) {
    let Some(object) = server.object_value() else { return };
    let (disables, enables) = (property(&object, "disabled"), property(&object, "enabled"));
    if let Some(property) = &enables {
        property.set_value(CstInputValue::Bool(!disabled));
    }
    if let Some(property) = &disables {
        property.set_value(CstInputValue::Bool(disabled));
    }
    // A server is enabled unless the entry says otherwise.
    if disables.is_none() && enables.is_none() && disabled {
        object.append("disabled", CstInputValue::Bool(true));
    }
}

/// Sets the client ID and secret under the keys that the entry already uses. `None` removes an existing secret.
fn set_client(server: &CstObjectProp, client_id: &str, client_secret: Option<&str>) {
    let Some(object) = server.object_value() else { return };
    let settings: Vec<_> =
        ["oauth", "auth"].into_iter().filter_map(|name| object.object_value(name)).collect();
    let in_settings = |name: &str| -> Vec<CstObjectProp> {
        let properties = settings.iter().flat_map(CstObject::properties);
        properties
            .filter(|property| {
                property.decoded_name().is_some_and(|own| spellings::oauth_field(&own) == name)
            })
            .collect()
    };
    let first = || settings.first().cloned().unwrap_or_else(|| object.object_value_or_set("oauth"));
    let mut ids = in_settings("clientId");
    ids.extend(property(&object, "oauth_client_id"));
    for property in &ids {
        property.set_value(text(client_id));
    }
    if ids.is_empty() {
        first().append("clientId", text(client_id));
    }
    let secrets = in_settings("clientSecret");
    match client_secret {
        Some(secret) if secrets.is_empty() => drop(first().append("clientSecret", text(secret))),
        Some(secret) => secrets.iter().for_each(|property| property.set_value(text(secret))),
        None => secrets.into_iter().for_each(CstObjectProp::remove),
    }
}

pub(crate) fn text(text: &str) -> CstInputValue {
    CstInputValue::String(text.to_owned())
}

fn texts(items: &[String]) -> CstInputValue {
    CstInputValue::Array(items.iter().map(|item| text(item)).collect())
}

fn object(fields: Vec<(&str, CstInputValue)>) -> CstInputValue {
    CstInputValue::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
