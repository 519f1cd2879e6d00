//! A server to add to `mcp.json`, and its entry as JSON.

use jsonc_parser::cst::CstInputValue;
use url::Url;

use crate::tree::text;
use crate::{Endpoints, Origin, Redirect};

/// A server to add.
#[derive(Clone, Debug)]
pub struct NewServer {
    pub transport: NewTransport,
    /// The person's name for the server.
    pub title: Option<String>,
    /// The person's note about the server.
    pub description: Option<String>,
    pub client_id: Option<String>,
    /// A placeholder such as `{{corp_secret}}`. The secret itself is in the secret store.
    pub client_secret: Option<String>,
    /// The endpoints to use instead of discovery.
    pub endpoints: Option<Endpoints>,
    pub audience: Option<String>,
    /// Further parameters of the authorization request.
    pub parameters: Vec<(String, String)>,
    pub scopes: Option<Vec<String>>,
    pub redirect: Redirect,
}

/// The transport of a new server. Header values, arguments and the values of variables are templates.
#[derive(Clone, Debug)]
pub enum NewTransport {
    Http { url: Url, headers: Vec<(String, String)> },
    Stdio { command: String, args: Vec<String>, env: Vec<(String, String)>, cwd: Option<String> },
}

impl NewServer {
    /// Creates an HTTP server with the default settings.
    pub fn http(url: Url) -> Self {
        Self::new(NewTransport::Http { url, headers: Vec::new() })
    }

    /// Creates a local program.
    pub fn program(command: String, args: Vec<String>) -> Self {
        Self::new(NewTransport::Stdio { command, args, env: Vec::new(), cwd: None })
    }

    /// Creates a server with the default settings.
    pub fn new(transport: NewTransport) -> Self {
        Self {
            transport,
            title: None,
            description: None,
            client_id: None,
            client_secret: None,
            endpoints: None,
            audience: None,
            parameters: Vec::new(),
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

    /// Returns the entry as a value of `mcpServers`.
    pub(crate) fn to_value(&self) -> CstInputValue {
        let mut fields = Vec::new();
        fields.extend(self.title.as_deref().map(|title| ("title", text(title))));
        fields.extend(self.description.as_deref().map(|description| ("description", text(description))));
        match &self.transport {
            NewTransport::Http { url, headers } => {
                fields.push(("type", text("http")));
                fields.push(("url", text(url.as_str())));
                fields.extend((!headers.is_empty()).then(|| ("headers", pairs(headers))));
            }
            NewTransport::Stdio { command, args, env, cwd } => {
                fields.push(("type", text("stdio")));
                fields.push(("command", text(command)));
                fields.push(("args", texts(args)));
                fields.extend((!env.is_empty()).then(|| ("env", pairs(env))));
                fields.extend(cwd.as_deref().map(|cwd| ("cwd", text(cwd))));
            }
        }
        let mut oauth = Vec::new();
        oauth.extend(self.client_id.as_deref().map(|client_id| ("clientId", text(client_id))));
        oauth.extend(self.client_secret.as_deref().map(|secret| ("clientSecret", text(secret))));
        if let Some(endpoints) = &self.endpoints {
            oauth.push(("authorizationUrl", text(endpoints.authorization.as_str())));
            oauth.push(("tokenUrl", text(endpoints.token.as_str())));
        }
        oauth.extend(self.audience.as_deref().map(|audience| ("audience", text(audience))));
        oauth.extend((!self.parameters.is_empty()).then(|| ("parameters", pairs(&self.parameters))));
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

fn texts(items: &[String]) -> CstInputValue {
    CstInputValue::Array(items.iter().map(|item| text(item)).collect())
}

fn pairs(pairs: &[(String, String)]) -> CstInputValue {
    CstInputValue::Object(pairs.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn object(fields: Vec<(&str, CstInputValue)>) -> CstInputValue {
    CstInputValue::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
