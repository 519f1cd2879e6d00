//! The contents of `mcp.json`, with alternative spellings resolved.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{Diagnostic, Environment, OAuthSettings, RenderError, Template};

/// The parsed file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The servers in the order of the file.
    pub servers: Vec<ServerConfig>,
    /// Entries that are ignored, deprecated or unsafe.
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// Finds a server by name.
    pub fn server(&self, name: &str) -> Option<&ServerConfig> {
        self.servers.iter().find(|server| server.name == name)
    }
}

/// One entry of `mcpServers`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// The key of the entry. It is not empty and has no control characters. It is never used as a path.
    pub name: String,
    pub transport: Transport,
    pub oauth: OAuthSettings,
    pub disabled: bool,
}

/// The transport and its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    /// Streamable HTTP.
    Http { url: Url, headers: Vec<Header> },
    /// The older HTTP transport with server-sent events.
    Sse { url: Url, headers: Vec<Header> },
    /// A local program.
    Stdio { command: Template, args: Vec<Template>, env: Vec<(String, Template)>, cwd: Option<Template> },
}

impl Transport {
    /// The configured request headers; empty for a local program.
    pub fn headers(&self) -> &[Header] {
        match self {
            Self::Http { headers, .. } | Self::Sse { headers, .. } => headers,
            Self::Stdio { .. } => &[],
        }
    }

    /// The server's address; `None` for a local program.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::Http { url, .. } | Self::Sse { url, .. } => Some(url),
            Self::Stdio { .. } => None,
        }
    }
}

/// A request header with a valid name. [`Header::render`] checks the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The name as written in the file. Comparisons must ignore case.
    pub name: String,
    pub value: Template,
}

impl Header {
    /// Resolves the placeholders and checks the value: a line break in a secret would inject a header.
    pub fn render(
        &self,
        environment: &Environment,
        secret: impl Fn(&str) -> Option<SecretString>,
    ) -> Result<SecretString, RenderError> {
        let value = self.value.render(environment, secret)?;
        if value.expose_secret().chars().any(is_forbidden_in_value) {
            return Err(RenderError::NotAHeaderValue { header: self.name.clone() });
        }
        Ok(value)
    }
}

/// Whether the character is a control character other than a tab (RFC 9110 §5.5).
pub(crate) fn is_forbidden_in_value(character: char) -> bool {
    character.is_control() && character != '\t'
}
