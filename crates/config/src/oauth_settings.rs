//! The sign-in settings of a server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::Template;

/// Sign-in settings that complement or replace discovery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OAuthSettings {
    /// Whether OAuth is off because the headers contain `Authorization`.
    pub off: bool,
    pub client_id: Option<String>,
    /// The client secret. It is set only together with `client_id`.
    pub client_secret: Option<Template>,
    /// The private key with which the client signs assertions, instead of a secret. It is set only together with
    /// `client_id`.
    pub private_key: Option<Template>,
    /// The algorithm of these signatures, such as `ES256`. Without it, the kind of the key decides.
    pub signing_algorithm: Option<String>,
    /// The `kid` of these signatures.
    pub key_id: Option<String>,
    /// The `aud` of these assertions, instead of the issuer.
    pub assertion_audience: Option<String>,
    /// The platform's assertion, for the flow `jwt_bearer`.
    pub assertion: Option<Template>,
    /// The file with the platform's assertion. It is read before each request.
    pub assertion_file: Option<PathBuf>,
    /// The identity provider, for the flow `enterprise`.
    pub identity_provider: Option<IdentityProviderSettings>,
    pub scopes: Option<Vec<String>>,
    pub redirect: Redirect,
    /// How the person or the machine signs in (`flow`).
    pub flow: Flow,
    /// The endpoints to use instead of discovery.
    pub endpoints: Option<Endpoints>,
    /// The configured token endpoint (`tokenUrl`). It is set together with `endpoints`. Without them it is set only if
    /// no authorization endpoint is needed: the flow is not `browser`, or there is a device authorization endpoint.
    pub token_url: Option<Url>,
    /// The device authorization endpoint (`deviceAuthorizationUrl`, RFC 8628 §3.1) to use instead of the one in the
    /// metadata.
    pub device_authorization_url: Option<Url>,
    /// The `audience` of the authorization and token requests, for authorization servers that do not know `resource`.
    pub audience: Option<String>,
    /// Further parameters of the authorization request or the device authorization request, in the order of the file.
    /// None of them has a name that Usher sets itself. There are at most 20, with names of up to 100 and values of up to
    /// 1,000 characters.
    pub parameters: Vec<(String, String)>,
    /// The `prompt` of the authorization request. An empty text sends none. Without this setting, Usher sends `consent`
    /// if it asks for `offline_access`.
    pub prompt: Option<String>,
    /// Whether to continue if the authorization server does not advertise PKCE.
    pub allow_missing_pkce: bool,
    /// The address of the person's own client ID metadata document.
    pub client_metadata_url: Option<Url>,
}

impl OAuthSettings {
    /// The endpoints, if they are used. Without a client id they are not, unless an assertion replaces the client.
    pub fn used_endpoints(&self) -> Option<&Endpoints> {
        self.endpoints.as_ref().filter(|_| self.uses_endpoints())
    }

    /// The configured token endpoint, if it is used. Without a client id it is not, unless an assertion replaces the
    /// client.
    pub fn used_token_url(&self) -> Option<&Url> {
        self.token_url.as_ref().filter(|_| self.uses_endpoints())
    }

    fn uses_endpoints(&self) -> bool {
        self.client_id.is_some() || self.flow == Flow::JwtBearer
    }
}

/// Returns the name under which a server's client secret is stored. Different servers get different names: each
/// character that a placeholder does not allow, and `_`, becomes its number between two `_`.
pub fn client_secret_name(server: &str) -> String {
    escape(server) + "_client_secret"
}

/// Returns the name under which the value of a server's header is stored. Different headers get different names.
pub fn header_secret_name(server: &str, header: &str) -> String {
    format!("{}_header_{}", escape(server), escape(&header.to_ascii_lowercase()))
}

/// Returns the name under which another secret setting of a server is stored: an environment variable, for example.
pub fn setting_secret_name(server: &str, path: &[&str]) -> String {
    let path: Vec<_> = path.iter().map(|key| escape(key)).collect();
    format!("{}_{}", escape(server), path.join("_"))
}

fn escape(text: &str) -> String {
    let mut name = String::new();
    for character in text.chars() {
        match character {
            '-' | '.' => name.push(character),
            _ if character.is_alphanumeric() => name.push(character),
            _ => name.push_str(&format!("_{:x}_", u32::from(character))),
        }
    }
    name
}

/// The authorization server's endpoints, entered by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub authorization: Url,
    pub token: Url,
}

/// A company's identity provider, and Usher's client there.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityProviderSettings {
    pub token: Url,
    pub client_id: String,
    pub client_secret: Option<Template>,
    /// The person's ID token.
    pub id_token: Template,
}

/// The way to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// The person approves the request in the browser on this computer.
    #[default]
    Browser,
    /// The person enters a code on any device (RFC 8628).
    Device,
    /// The client's own credentials, without a person (RFC 6749 §4.4).
    ClientCredentials,
    /// An assertion of the platform on which Usher runs, without a person (RFC 7523 §2.1).
    JwtBearer,
    /// An assertion of the person's identity provider (ID-JAG).
    Enterprise,
}

impl Flow {
    pub const ALL: [Self; 5] =
        [Self::Browser, Self::Device, Self::ClientCredentials, Self::JwtBearer, Self::Enterprise];

    /// The value in `mcp.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Device => "device",
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer => "jwt_bearer",
            Self::Enterprise => "enterprise",
        }
    }
}

impl FromStr for Flow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|flow| flow.as_str() == text);
        found.ok_or_else(|| format!("a flow must be one of: {names}"))
    }
}

/// The preferred kind of redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirect {
    /// Tries each kind in turn, starting with the link.
    #[default]
    Auto,
    /// `dev.usher.desktop:/oauth/callback`
    Link,
    /// `dev.usher.desktop://oauth/callback`
    LinkWithHost,
    /// A listener on 127.0.0.1 for one sign-in.
    Loopback,
    /// The person copies the callback address from the browser.
    Paste,
}

impl Redirect {
    pub const ALL: [Self; 5] = [Self::Auto, Self::Link, Self::LinkWithHost, Self::Loopback, Self::Paste];

    /// The value in `mcp.json` and on the command line.
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
            .ok_or_else(|| "a redirect must be auto, link, link-with-host, loopback or paste".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{client_secret_name, header_secret_name};

    #[test]
    fn different_servers_have_different_secret_names() {
        assert_eq!(client_secret_name("notion"), "notion_client_secret");
        assert_eq!(client_secret_name("my corp"), "my_20_corp_client_secret");
        let servers = [
            "corp-x",
            "corp.x",
            "corp_x",
            "corp x",
            "corp/x",
            "corp_5f_x",
            "corp_2f_x",
            "corp__x",
            "日本",
            "中国",
            "é",
            "e\u{301}",
            "a",
            "A",
            "",
            " ",
            "_",
            "__",
        ];
        let headers = ["a", "X-Key", "x_key", "_", "client_secret", "header"];
        let of_headers =
            servers.iter().flat_map(|server| headers.map(|header| header_secret_name(server, header)));
        let names: HashSet<_> =
            servers.iter().map(|server| client_secret_name(server)).chain(of_headers).collect();
        assert_eq!(names.len(), servers.len() * (1 + headers.len()), "{names:?}");
        assert_eq!(header_secret_name("notes", "Authorization"), "notes_header_authorization");
    }
}
