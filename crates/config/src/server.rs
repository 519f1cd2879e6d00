//! What `mcp.json` says, with every spelling made one.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{Diagnostic, Environment, RenderError, Template};

/// One reading of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// In the order of the file.
    pub servers: Vec<ServerConfig>,
    /// What was understood, but could be said better or is ignored.
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// The server of that name.
    pub fn server(&self, name: &str) -> Option<&ServerConfig> {
        self.servers.iter().find(|server| server.name == name)
    }
}

/// One entry of `mcpServers`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// The key: neither empty nor with control characters. It never becomes a path.
    pub name: String,
    pub transport: Transport,
    pub oauth: OAuthSettings,
    pub disabled: bool,
}

/// How the server is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    /// Streamable HTTP.
    Http { url: Url, headers: Vec<Header> },
    /// The older HTTP with server-sent events.
    Sse { url: Url, headers: Vec<Header> },
    /// A local program.
    Stdio { command: Template, args: Vec<Template>, env: Vec<(String, Template)>, cwd: Option<Template> },
}

impl Transport {
    /// The headers the person set; none for a local program.
    pub fn headers(&self) -> &[Header] {
        match self {
            Self::Http { headers, .. } | Self::Sse { headers, .. } => headers,
            Self::Stdio { .. } => &[],
        }
    }

    /// The address; none for a local program.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::Http { url, .. } | Self::Sse { url, .. } => Some(url),
            Self::Stdio { .. } => None,
        }
    }
}

/// A request header with a valid name. The rendered value is checked once more by [`Header::render`].
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// As written; compare without case.
    pub name: String,
    pub value: Template,
}

impl Header {
    /// The value, filled and checked: a secret with a line break in it would add a header of its own.
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

/// RFC 9110 §5.5: a tab is allowed, other control characters are not.
pub(crate) fn is_forbidden_in_value(character: char) -> bool {
    character.is_control() && character != '\t'
}

/// How to sign in, where the server or the person needs more than discovery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OAuthSettings {
    /// The headers hold `Authorization`, so no OAuth is tried.
    pub off: bool,
    pub client_id: Option<String>,
    /// Only ever beside a client id.
    pub client_secret: Option<Template>,
    pub scopes: Option<Vec<String>>,
    pub redirect: Redirect,
    /// Both addresses or neither; they take the place of discovery.
    pub endpoints: Option<Endpoints>,
    pub audience: Option<String>,
    /// Go on where the server does not say that it knows PKCE.
    pub allow_missing_pkce: bool,
    /// A client id metadata document of the person's own.
    pub client_metadata_url: Option<Url>,
}

/// The authorization server's addresses, set by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub authorization: Url,
    pub token: Url,
}

/// Which way back from the browser the person wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirect {
    /// The ladder, beginning with the link.
    #[default]
    Auto,
    /// `dev.usher.desktop:/oauth/callback`
    Link,
    /// `dev.usher.desktop://oauth/callback`
    LinkWithHost,
    /// A listener on 127.0.0.1 for one sign-in.
    Loopback,
    /// The person copies the address from the browser.
    Paste,
}

impl Redirect {
    pub const ALL: [Self; 5] = [Self::Auto, Self::Link, Self::LinkWithHost, Self::Loopback, Self::Paste];

    /// The word in `mcp.json` and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Link => "link",
            Self::LinkWithHost => "link-with-host",
            Self::Loopback => "loopback",
            Self::Paste => "paste",
        }
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Redirect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|redirect| redirect.as_str() == text)
            .ok_or_else(|| "a redirect is one of auto, link, link-with-host, loopback and paste".to_owned())
    }
}
