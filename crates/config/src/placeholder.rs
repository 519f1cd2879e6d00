//! A placeholder, and a web origin to which its value is sent.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// A named secret or an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placeholder {
    Secret(String),
    Variable(String),
}

/// A scheme, a host and a port, such as `https://mcp.example.com` or `http://127.0.0.1:8080`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

/// One origin to which an entry sends the value of one placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceholderUse {
    pub placeholder: Placeholder,
    pub origin: Origin,
}

/// A text that names no placeholder or no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    #[error("this is not the name of a secret")]
    NotASecretName,
    #[error("this is not the name of an environment variable")]
    NotAVariableName,
    #[error("this is not an http or https address")]
    NotAnOrigin,
}

/// The placeholder as `mcp.json` has it, without a default: `{{name}}` or `${VAR}`.
impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "{{{{{name}}}}}"),
            Self::Variable(name) => write!(f, "${{{name}}}"),
        }
    }
}

/// Reads `{{name}}`, `${VAR}`, or the name of a secret.
impl FromStr for Placeholder {
    type Err = PlaceholderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            return match is_variable_name(name) {
                true => Ok(Self::Variable(name.to_owned())),
                false => Err(PlaceholderError::NotAVariableName),
            };
        }
        let name = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(text).trim();
        match is_secret_name(name) {
            true => Ok(Self::Secret(name.to_owned())),
            false => Err(PlaceholderError::NotASecretName),
        }
    }
}

impl Origin {
    /// Returns the origin of an address; `None` if its scheme is not http or https.
    pub fn of(url: &Url) -> Option<Self> {
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        is_web.then(|| Self(url.origin().ascii_serialization()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads an address. Its path and query are ignored.
impl FromStr for Origin {
    type Err = PlaceholderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Url::parse(text).ok().as_ref().and_then(Self::of).ok_or(PlaceholderError::NotAnOrigin)
    }
}

/// Returns whether a placeholder `{{name}}` can have this name.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    !name.is_empty() && name.chars().all(allowed)
}

/// Returns whether a placeholder `${VAR}` can have this name.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}
