//! Converts the entries of `mcp.json` to Usher's own spelling. Comments, order and unknown keys stay.

use jsonc_parser::cst::{CstArray, CstInputValue, CstObject, CstObjectProp};
use serde::Serialize;

use crate::comments::comments;
use crate::parse::{ParseContext, SERVERS, display_name, parse, spellings};
use crate::tree::{parse_root, property, text};
use crate::{Config, ConfigError};

/// One change of spelling, or one that was not possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rewrite {
    /// The name of the entry, sanitised for display.
    pub server: String,
    /// The spelling in the file, sanitised for display.
    pub from: String,
    /// Usher's spelling.
    pub to: String,
}

/// The outcome of [`ConfigFile::format`](crate::ConfigFile::format).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FormatReport {
    /// The changes in the order of the file.
    pub rewritten: Vec<Rewrite>,
    /// The spellings that stay, because another key or a comment is in the way.
    pub kept: Vec<Rewrite>,
    /// The names of the entries with errors, which stay as they are. They are sanitised for display.
    pub skipped: Vec<String>,
}

/// Returns the rewritten text. `before` is the parsed `body`. The meaning of the entries does not change.
pub(crate) fn format(
    body: &str,
    before: &Config,
    context: ParseContext<'_>,
) -> Result<(String, FormatReport), ConfigError> {
    let root = parse_root(body)?;
    let skipped = before.broken.iter().map(|broken| display_name(&broken.name)).collect();
    let mut report = FormatReport { skipped, ..FormatReport::default() };
    let comments_before = comments(&root.clone().into());
    let servers = root.object_value().and_then(|root| root.object_value(SERVERS));
    for prop in servers.iter().flat_map(CstObject::properties) {
        let name = prop.decoded_name().unwrap_or_default();
        if let (Some(entry), Some(_)) = (prop.object_value(), before.server(&name)) {
            Formatter { server: display_name(&name), report: &mut report }.entry(&entry);
        }
    }
    let after = root.to_string();
    let is_safe = parse(&after, context).is_ok_and(|parsed| has_same_meaning(before, &parsed))
        && comments(&root.into()) == comments_before;
    if is_safe {
        Ok((after, report))
    } else {
        Err(ConfigError::InvalidServer {
            why: "a change of spelling would change what an entry means".to_owned(),
            hint: Some("Change the spelling by hand. `usher config check` lists what to change.".to_owned()),
        })
    }
}

fn has_same_meaning(before: &Config, after: &Config) -> bool {
    let broken = |config: &Config| -> Vec<(String, usize)> {
        config.broken.iter().map(|broken| (broken.key.clone(), broken.errors.len())).collect()
    };
    before.servers == after.servers && broken(before) == broken(after)
}

struct Formatter<'a> {
    server: String,
    report: &'a mut FormatReport,
}

impl Formatter<'_> {
    fn entry(&mut self, entry: &CstObject) {
        self.rename_fields(entry, spellings::entry_field);
        self.write_type(entry);
        self.rewrite_enabled(entry);
        self.split_command(entry);
        self.move_client_id(entry);
        if let Some(oauth) = entry.object_value("oauth") {
            self.rename_fields(&oauth, spellings::oauth_field);
            self.list_scopes(&oauth);
        }
    }

    /// Renames the fields that have another name in Usher.
    fn rename_fields(&mut self, object: &CstObject, canonical: fn(&str) -> &str) {
        for prop in used_properties(object) {
            let Some(name) = prop.decoded_name() else { continue };
            let to = canonical(&name);
            if to == name {
                continue;
            }
            let is_renamed = property(object, to).is_none() && rename(&prop, to);
            self.note(is_renamed, &name, to);
        }
    }

    /// Writes the type if it is missing or has another client's name.
    fn write_type(&mut self, entry: &CstObject) {
        match property(entry, "type") {
            Some(prop) => {
                let Some(word) = string_value(&prop) else { return };
                let to = spellings::server_type(&word);
                if to != word {
                    prop.set_value(text(to));
                    self.note(true, &word, to);
                }
            }
            None if property(entry, "url").is_some() && property(entry, "command").is_none() => {
                entry.insert(0, "type", text("http"));
                self.note(true, "no type", "\"type\": \"http\"");
            }
            None => {}
        }
    }

    fn rewrite_enabled(&mut self, entry: &CstObject) {
        let Some(prop) = property(entry, "enabled") else { return };
        let Some(value) = prop.value().and_then(|value| value.as_boolean_lit()) else { return };
        let is_renamed = property(entry, "disabled").is_none() && rename(&prop, "disabled");
        if is_renamed {
            value.set_value(!value.value());
        }
        self.note(is_renamed, "enabled", "disabled");
    }

    /// Splits a command that is a list into `command` and `args`.
    fn split_command(&mut self, entry: &CstObject) {
        let Some(prop) = property(entry, "command") else { return };
        let Some(words) = prop.array_value() else { return };
        let words = string_values(&words).filter(|_| comments(&prop.clone().into()).is_empty());
        let is_split = match words.as_deref() {
            Some([program, args @ ..]) if property(entry, "args").is_none() => {
                let index = prop.property_index() + 1;
                prop.set_value(text(program));
                if !args.is_empty() {
                    let args = args.iter().map(|word| text(word)).collect();
                    entry.insert(index, "args", CstInputValue::Array(args));
                }
                true
            }
            Some(_) | None => false,
        };
        self.note(is_split, "command as a list", "command and args");
    }

    /// Moves `oauth_client_id` into `oauth`.
    fn move_client_id(&mut self, entry: &CstObject) {
        let is_it = |prop: &CstObjectProp| prop.decoded_name().as_deref() == Some("oauth_client_id");
        let Some(prop) = used_properties(entry).into_iter().find(is_it) else { return };
        let client_id = string_value(&prop).filter(|_| comments(&prop.clone().into()).is_empty());
        let is_moved = match client_id {
            Some(client_id) if property(entry, "oauth").is_none() && rename(&prop, "oauth") => {
                prop.set_value(CstInputValue::Object(vec![("clientId".to_owned(), text(&client_id))]));
                true
            }
            Some(_) | None => false,
        };
        self.note(is_moved, "oauth_client_id", "oauth.clientId");
    }

    /// Writes the scopes as a list.
    fn list_scopes(&mut self, oauth: &CstObject) {
        let Some(prop) = property(oauth, "scopes") else { return };
        let Some(scopes) = string_value(&prop) else { return };
        let list = scopes.split_whitespace().map(text).collect();
        prop.set_value(CstInputValue::Array(list));
        self.note(true, "scopes in one text", "scopes as a list");
    }

    fn note(&mut self, is_rewritten: bool, from: &str, to: &str) {
        let rewrite = Rewrite { server: self.server.clone(), from: display_name(from), to: to.to_owned() };
        if is_rewritten {
            self.report.rewritten.push(rewrite);
        } else {
            self.report.kept.push(rewrite);
        }
    }
}

/// Returns the properties that the parser reads: all but comments and nulls.
fn used_properties(object: &CstObject) -> Vec<CstObjectProp> {
    let is_used = |prop: &CstObjectProp| {
        let is_null = prop.value().is_some_and(|value| value.as_null_keyword().is_some());
        !is_null && prop.decoded_name().is_some_and(|name| !name.starts_with('_'))
    };
    object.properties().into_iter().filter(is_used).collect()
}

/// Renames a property to a name without special characters. Returns whether it was possible.
fn rename(prop: &CstObjectProp, name: &str) -> bool {
    let literal = prop.name().and_then(|name| name.as_string_lit());
    if let Some(literal) = &literal {
        literal.set_raw_value(format!("\"{name}\""));
    }
    literal.is_some()
}

fn string_value(prop: &CstObjectProp) -> Option<String> {
    prop.value()?.as_string_lit()?.decoded_value().ok()
}

fn string_values(array: &CstArray) -> Option<Vec<String>> {
    array.elements().iter().map(|element| element.as_string_lit()?.decoded_value().ok()).collect()
}
