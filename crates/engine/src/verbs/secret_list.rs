//! The view of the named secrets: which entries use each, where it may be sent, and when it was last used.

use std::collections::BTreeMap;

use usher_api::{ErrorView, SecretState, SecretUseView, SecretView, SecretsView, ServerId, Status};
use usher_config::{Config, Entry, Placeholder, PlaceholderUse, ServerConfig, Transport};

use crate::engine::Engine;
use crate::run::load;
use crate::server::names::display_name;
use crate::words::config::describe_config_error;

/// The uses of one placeholder in the entries of `mcp.json`.
#[derive(Default)]
struct Uses {
    settings: Vec<SecretUseView>,
    /// The uses that send the value to an origin.
    sent: Vec<PlaceholderUse>,
}

impl Engine {
    /// Returns the named secrets that are stored or that an entry uses, and the environment variables that may be sent.
    /// Fails if the secret store cannot be read.
    pub async fn secret_list(&self) -> Result<SecretsView, ErrorView> {
        let stored = self.secrets().await?;
        let (config, config_error) = match load(&self.run.config).await {
            Ok(config) => (config, None),
            Err(error) => (Config::default(), Some(describe_config_error(&error))),
        };
        let mut uses = self.uses_of_placeholders(&config);
        for name in &stored {
            uses.entry(Placeholder::Secret(name.clone())).or_default();
        }
        for variable in self.run.context.placeholders.allowed.variables() {
            uses.entry(variable).or_default();
        }
        self.run.servers.record_secret_uses(&self.run.context);
        let secrets =
            uses.into_iter().filter_map(|(placeholder, uses)| self.secret_view(placeholder, uses, &stored));
        let broken = config.broken.iter();
        let broken =
            broken.map(|entry| display_name(&entry.name, entry.title.as_deref(), entry.url.as_ref()));
        Ok(SecretsView { secrets: secrets.collect(), unknown_entries: broken.collect(), config_error })
    }

    /// Returns the uses of each placeholder. Entries with an error are left out.
    fn uses_of_placeholders(&self, config: &Config) -> BTreeMap<Placeholder, Uses> {
        let placeholders = &self.run.context.placeholders;
        let mut all: BTreeMap<Placeholder, Uses> = BTreeMap::new();
        let servers = config.entries().filter_map(|entry| match entry {
            Entry::Server(server) if !server.is_example() => Some(server),
            Entry::Server(_) | Entry::Broken(_) => None,
        });
        for server in servers {
            for (setting, template) in server.templates() {
                for placeholder in template.named_placeholders() {
                    let view = self.secret_use_view(server, &setting);
                    let settings = &mut all.entry(placeholder).or_default().settings;
                    if !settings.contains(&view) {
                        settings.push(view);
                    }
                }
            }
            for one in placeholders.uses(server) {
                all.entry(one.placeholder.clone()).or_default().sent.push(one);
            }
        }
        all
    }

    fn secret_use_view(&self, server: &ServerConfig, setting: &[&str]) -> SecretUseView {
        let id = ServerId(server.name.clone());
        let shown = self.run.context.board.server(&id).map(|view| view.name);
        let title = server.title.as_deref();
        let name = shown.unwrap_or_else(|| display_name(&id.0, title, server.transport.url()));
        SecretUseView {
            server: id,
            server_name: name,
            setting: setting.iter().map(|key| (*key).to_owned()).collect(),
            is_program: match server.transport {
                Transport::Stdio { .. } => true,
                Transport::Http { .. } | Transport::Sse { .. } => false,
            },
            is_disabled: server.disabled,
        }
    }

    /// Returns `None` for an environment variable that may not be sent anywhere. Programs and settings that are read
    /// with the file use many of those.
    fn secret_view(&self, placeholder: Placeholder, uses: Uses, stored: &[String]) -> Option<SecretView> {
        let placeholders = &self.run.context.placeholders;
        let origins = placeholders.allowed.of(&placeholder);
        let mut refused_origins: Vec<_> =
            placeholders.allowed.refused(&uses.sent).into_iter().map(|one| one.origin.to_string()).collect();
        refused_origins.sort();
        refused_origins.dedup();
        let (name, state) = match placeholder {
            Placeholder::Secret(name) if stored.contains(&name) => (name, SecretState::Stored),
            Placeholder::Secret(name) => (name, SecretState::Missing),
            Placeholder::Variable(_) if origins.is_empty() => return None,
            Placeholder::Variable(_) => (placeholder.to_string(), SecretState::Variable),
        };
        let is_stored = state == SecretState::Stored;
        let last_used = placeholders.last_uses.of(&name).filter(|_| is_stored);
        let in_use = is_stored && uses.settings.iter().any(|one| self.is_connected(&one.server));
        Some(SecretView { name, state, uses: uses.settings, origins, refused_origins, in_use, last_used })
    }

    fn is_connected(&self, id: &ServerId) -> bool {
        self.server(id).is_some_and(|view| matches!(view.status, Status::Connected { .. }))
    }
}
