//! Edits to the text of `mcp.json` that keep comments, unknown keys, order, indentation, line endings
//! and trailing commas.

use jsonc_parser::cst::{CstInputValue, CstObject, CstObjectProp, CstRootNode};

use crate::entry_place::{self, entry_in, key_of, no_such_server};
use crate::parse::{ParseContext, SERVERS, check_name, display_name, parse, spellings};
use crate::tree::{parse_root, property, text};
use crate::{Config, ConfigError, Diagnostic, NewServer, ServerConfig, hidden_values};

/// One change. It can be applied again if the file changed in the meantime.
pub(crate) enum Edit<'a> {
    Add {
        name: &'a str,
        server: &'a NewServer,
    },
    /// Adds an entry with this text.
    AddEntry {
        name: &'a str,
        entry: &'a str,
    },
    /// Replaces the text of an entry that has this version.
    ReplaceEntry {
        name: &'a str,
        entry: &'a str,
        version: &'a str,
    },
    Remove {
        name: &'a str,
    },
    SetDisabled {
        name: &'a str,
        disabled: bool,
    },
    SetClient {
        name: &'a str,
        client_id: &'a str,
        client_secret: Option<&'a str>,
    },
}

impl Edit<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Add { name, .. }
            | Self::AddEntry { name, .. }
            | Self::ReplaceEntry { name, .. }
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
        let invalid = |diagnostic: &Diagnostic| ConfigError::InvalidServer {
            why: diagnostic.message.clone(),
            hint: diagnostic.hint.clone(),
        };
        let restored = |entry: &str, old: &str| {
            let restored = hidden_values::restore_in_entry(entry, old);
            restored.map_err(|problems| problems.first().map_or_else(|| no_such_server(self.name()), invalid))
        };
        let mut entry_put = None;
        match self {
            Self::Add { name, server } => add(&root, before, name, server.to_value())?,
            Self::AddEntry { name, entry } => {
                add(&root, before, name, CstInputValue::Object(Vec::new()))?;
                // An entry that is not in the file has no hidden values.
                entry_put = Some((*name, restored(entry, "{}")?));
            }
            Self::ReplaceEntry { name, entry, version } => {
                let key = key_of(before, name);
                let old = entry_in(body, key).ok_or_else(|| no_such_server(name))?;
                if entry_place::version(&old) != **version {
                    return Err(ConfigError::EntryChanged { name: display_name(name) });
                }
                entry_put = Some((key, restored(entry, &old)?));
            }
            Self::Remove { name } => remove(&root, before, name)?,
            Self::SetDisabled { name, disabled } => {
                set_disabled(&find_valid(&root, before, name)?, *disabled);
            }
            Self::SetClient { name, client_id, client_secret } => {
                set_client(&find_valid(&root, before, name)?, client_id, *client_secret);
            }
        }
        let mut body = root.to_string();
        if let Some((key, entry)) = entry_put {
            body = entry_place::put(&body, key, &entry)?;
        }
        // Usher must be able to read the result. This rejects a header with a line break, for example.
        let after = parse(&body, context).map_err(|diagnostic| invalid(&diagnostic))?;
        match after.broken(self.name()).and_then(|broken| broken.errors.first()) {
            Some(error) => Err(invalid(error)),
            None => Ok(body),
        }
    }
}

/// Adds an entry at the end, or in place of an untouched example of the starter file.
fn add(root: &CstRootNode, before: &Config, name: &str, value: CstInputValue) -> Result<(), ConfigError> {
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
        None => drop(servers.append(name, value)),
        Some(example) if before.server(name).is_some_and(ServerConfig::is_example) => {
            example.set_value(value);
        }
        Some(_) => return Err(ConfigError::ServerExists { name: name.to_owned() }),
    }
    Ok(())
}

/// Removes an entry, which may have an error. If several entries have the same name, removes all of them.
fn remove(root: &CstRootNode, before: &Config, name: &str) -> Result<(), ConfigError> {
    let key = key_of(before, name);
    find(root, key).ok_or_else(|| no_such_server(name))?.remove();
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
    find(root, name).ok_or_else(|| no_such_server(name))
}

fn find(root: &CstRootNode, key: &str) -> Option<CstObjectProp> {
    let servers = root.object_value().and_then(|root| root.object_value(SERVERS))?;
    property(&servers, key).filter(|_| !key.starts_with('_'))
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
