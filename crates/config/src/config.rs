//! The contents of `mcp.json`, with alternative spellings resolved.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    Diagnostic, Environment, OAuthSettings, Origin, Placeholder, PlaceholderUse, RenderError, Template,
};

/// The parsed file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The valid servers in the order of the file.
    pub servers: Vec<ServerConfig>,
    /// The entries with an error, in the order of the file. They do not run.
    pub broken: Vec<BrokenServer>,
    /// The groups in the order of the file.
    pub groups: Vec<Group>,
    /// Entries that are ignored, deprecated or unsafe.
    pub warnings: Vec<Diagnostic>,
}

/// Servers that an AI client uses together, under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name, which no server has.
    pub name: String,
    /// The names of entries, each once.
    pub servers: Vec<String>,
}

/// An entry of `mcpServers`, as [`Config::entries`] returns it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry<'a> {
    Server(&'a ServerConfig),
    Broken(&'a BrokenServer),
}

impl Config {
    /// Finds a valid server by name.
    pub fn server(&self, name: &str) -> Option<&ServerConfig> {
        self.servers.iter().find(|server| server.name == name)
    }

    /// Finds an entry with an error by name.
    pub fn broken(&self, name: &str) -> Option<&BrokenServer> {
        self.broken.iter().find(|broken| broken.name == name)
    }

    /// Returns the valid and the broken entries in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut broken = self.broken.iter().peekable();
        let mut servers = self.servers.iter().enumerate().peekable();
        std::iter::from_fn(move || {
            let position = servers.peek().map_or(usize::MAX, |(position, _)| *position);
            if let Some(broken) = broken.next_if(|broken| broken.servers_before <= position) {
                return Some(Entry::Broken(broken));
            }
            servers.next().map(|(_, server)| Entry::Server(server))
        })
    }

    /// Returns the errors of all entries in the order of the file.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.broken.iter().flat_map(|broken| &broken.errors)
    }
}

impl Entry<'_> {
    pub fn name(&self) -> &str {
        match self {
            Self::Server(server) => &server.name,
            Self::Broken(broken) => &broken.name,
        }
    }
}

/// An entry of `mcpServers` with an error. It has only the settings that help a person to recognise it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokenServer {
    /// The key of the entry or, if the key is not a valid name, a unique name derived from it.
    pub name: String,
    /// The key as written in the file.
    pub(crate) key: String,
    /// As in [`ServerConfig::title`].
    pub title: Option<String>,
    /// The address, if it is valid.
    pub url: Option<Url>,
    /// Whether the entry describes a local program.
    pub is_program: bool,
    /// The errors, in the order of the file. There is at least one.
    pub errors: Vec<Diagnostic>,
    /// The number of valid servers before this entry.
    pub(crate) servers_before: usize,
}

/// One valid entry of `mcpServers`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// The key of the entry. It is not empty and has no control characters. It is never used as a path.
    pub name: String,
    /// The name that the person chose for display (`title`). It is sanitised, and has 1 to 100 characters.
    pub title: Option<String>,
    /// The person's note about the server (`description`). It is sanitised, and has 1 to 500 characters.
    pub description: Option<String>,
    /// The picture that the person chose (`icon`): the slug of a service in the catalogue, or up to 8 characters such as
    /// an emoji. It is sanitised.
    pub icon: Option<String>,
    pub transport: Transport,
    pub oauth: OAuthSettings,
    pub disabled: bool,
    /// The environment variables in the settings that are resolved when the file is read, such as the address.
    pub variables: Vec<String>,
}

/// A named secret that an entry uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUse {
    pub name: String,
    /// The keys that lead to its placeholder, such as `headers` and `X-Api-Key`.
    pub setting: Vec<String>,
}

impl ServerConfig {
    /// Returns the named secrets of the entry, without duplicates.
    pub fn secrets(&self) -> Vec<SecretUse> {
        let mut uses: Vec<SecretUse> = Vec::new();
        for (setting, template) in self.templates() {
            for name in template.secret_names() {
                if !uses.iter().any(|known| known.name == name) {
                    let setting = setting.iter().map(|key| (*key).to_owned()).collect();
                    uses.push(SecretUse { name: name.to_owned(), setting });
                }
            }
        }
        uses
    }

    /// Returns the values that may have placeholders, each with the keys that lead to it. The settings that are resolved
    /// when the file is read, such as the address, are not among them.
    pub fn templates(&self) -> Vec<(Vec<&str>, &Template)> {
        let mut templates: Vec<(Vec<&str>, &Template)> = Vec::new();
        match &self.transport {
            Transport::Http { headers, .. } | Transport::Sse { headers, .. } => {
                templates.extend(
                    headers.iter().map(|header| (vec!["headers", header.name.as_str()], &header.value)),
                );
            }
            Transport::Stdio { command, args, env, cwd } => {
                templates.push((vec!["command"], command));
                templates.extend(args.iter().map(|argument| (vec!["args"], argument)));
                templates.extend(env.iter().map(|(name, value)| (vec!["env", name.as_str()], value)));
                templates.extend(cwd.iter().map(|cwd| (vec!["cwd"], cwd)));
            }
        }
        let oauth = &self.oauth;
        let settings = [
            ("clientSecret", &oauth.client_secret),
            ("privateKey", &oauth.private_key),
            ("assertion", &oauth.assertion),
        ];
        for (name, template) in settings {
            templates.extend(template.iter().map(|template| (vec!["oauth", name], template)));
        }
        if let Some(provider) = &oauth.identity_provider {
            templates.push((vec!["oauth", "identityProvider", "idToken"], &provider.id_token));
            let secret = provider.client_secret.iter();
            templates
                .extend(secret.map(|secret| (vec!["oauth", "identityProvider", "clientSecret"], secret)));
        }
        templates
    }

    /// Returns each placeholder of an HTTP entry with each origin to which its value is sent:
    ///
    /// - A header is sent to the server.
    /// - The client secret is sent to the token endpoint and to the device authorization endpoint. The server names
    ///   these endpoints, unless the entry does. The origins are therefore the server's, and those of the configured
    ///   endpoints.
    /// - The variables in addresses and other settings are sent to the server, to the configured endpoints, and to the
    ///   identity provider.
    ///
    /// Variables that are not set have no value to send.
    pub fn placeholder_uses(&self, environment: &Environment) -> Vec<PlaceholderUse> {
        let (Transport::Http { url, headers } | Transport::Sse { url, headers }) = &self.transport else {
            return Vec::new();
        };
        let server = Origin::of(url);
        let origin = |url: Option<&Url>| url.and_then(Origin::of);
        let authorization = origin(self.oauth.used_endpoints().map(|endpoints| &endpoints.authorization));
        let token = origin(self.oauth.used_token_url());
        let device = origin(self.oauth.device_authorization_url.as_ref());
        let provider = origin(self.oauth.identity_provider.as_ref().map(|provider| &provider.token));
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
        // A private key is not sent, but what it signs is.
        let secrets = [&self.oauth.client_secret, &self.oauth.private_key, &self.oauth.assertion];
        let secrets = secrets.into_iter().flatten();
        let secret: Vec<_> = secrets.flat_map(|secret| secret.placeholders(environment)).collect();
        // The client also authenticates at the device authorization endpoint.
        note(secret, &[&server, &token, &device]);
        if let Some(settings) = &self.oauth.identity_provider {
            let secrets = [Some(&settings.id_token), settings.client_secret.as_ref()].into_iter().flatten();
            let secrets = secrets.flat_map(|secret| secret.placeholders(environment)).collect();
            note(secrets, &[&provider]);
        }
        let variables = self.variables.iter().cloned().map(Placeholder::Variable);
        note(variables.collect(), &[&server, &token, &authorization, &device, &provider]);
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
