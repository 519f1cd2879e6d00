//! The contents of `mcp.json`, with alternative spellings resolved.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    Diagnostic, Environment, OAuthSettings, Origin, Placeholder, PlaceholderUse, RenderError, Template,
};

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
    /// The environment variables in the settings that are resolved when the file is read, such as the address.
    pub variables: Vec<String>,
}

impl ServerConfig {
    /// Returns each placeholder of an HTTP entry with each origin to which its value is sent:
    ///
    /// - A header is sent to the server.
    /// - The client secret is sent to the token endpoint. The server names that endpoint, unless the entry does. The
    ///   origins are therefore the server's, and that of a configured token endpoint.
    /// - The variables in addresses and other settings are sent to the server and to the configured endpoints.
    ///
    /// Variables that are not set have no value to send.
    pub fn placeholder_uses(&self, environment: &Environment) -> Vec<PlaceholderUse> {
        let (Transport::Http { url, headers } | Transport::Sse { url, headers }) = &self.transport else {
            return Vec::new();
        };
        let server = Origin::of(url);
        let endpoints = self.oauth.used_endpoints();
        let token = endpoints.and_then(|endpoints| Origin::of(&endpoints.token));
        let authorization = endpoints.and_then(|endpoints| Origin::of(&endpoints.authorization));
        let mut uses: Vec<PlaceholderUse> = Vec::new();
        let mut note = |placeholders: Vec<Placeholder>, origins: &[&Option<Origin>]| {
            for placeholder in placeholders {
                for origin in origins.iter().copied().flatten() {
                    let found = PlaceholderUse { placeholder: placeholder.clone(), origin: origin.clone() };
                    if !uses.contains(&found) {
                        uses.push(found);
                    }
                }
            }
        };
        for header in headers {
            note(header.value.placeholders(environment), &[&server]);
        }
        let secret =
            self.oauth.client_secret.as_ref().map(|secret| Template::placeholders(secret, environment));
        note(secret.unwrap_or_default(), &[&server, &token]);
        let variables = self.variables.iter().cloned().map(Placeholder::Variable);
        note(variables.collect(), &[&server, &token, &authorization]);
        uses
    }
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
