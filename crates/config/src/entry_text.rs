//! The JSON text of one entry of `mcp.json`: read for an editor, checked, added and replaced.

use std::collections::HashSet;

use jsonc_parser::ast::Value;
use jsonc_parser::parse_to_serde_value;

use crate::comments::{comments, with_clean_comments};
use crate::edit::Edit;
use crate::entry_place::{
    blank, dedented, entry_in, key_of, no_such_server, object_range, outdented, property, put, version,
};
use crate::parse::{ParseContext, SERVERS, parse, syntax};
use crate::plain_secrets::{self, GivenSecret, TakenSecret};
use crate::text::{Text, problem};
use crate::tree::parse_root;
use crate::{
    Config, ConfigError, ConfigFile, Diagnostic, NewServer, ServerConfig, entry_merge, format, hidden_values,
};

/// An entry as it is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryText {
    /// The object, with [`HIDDEN`](crate::HIDDEN) in place of each secret in plain text.
    pub text: String,
    /// The digest of the entry. A replacement names it, and fails if the entry has changed since.
    pub version: String,
}

/// An entry that is not in the file yet. It may contain secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Draft {
    /// The object in Usher's spelling, as the person entered it, as JSON without comments.
    pub shown: String,
    /// The same object with its comments, for an editor. Without comments, it is `shown`.
    pub commented: String,
    /// The object with placeholders in place of the secrets, for the file.
    pub entry: String,
    pub server: ServerConfig,
    pub warnings: Vec<Diagnostic>,
    /// The secrets that were given or in plain text.
    pub secrets: Vec<TakenSecret>,
    /// The keys that lead to hidden values.
    pub hidden: Vec<Vec<String>>,
}

impl ConfigFile {
    /// Returns the text of an entry, which may have an error.
    pub fn entry(&self, name: &str) -> Result<EntryText, ConfigError> {
        let bytes = self.read()?.unwrap_or_default();
        let config = self.parse(Some(&bytes))?;
        let text = Text::from_bytes(&bytes).map_err(|diagnostic| self.invalid(diagnostic))?;
        let raw = entry_in(&text.body, key_of(&config, name)).ok_or_else(|| no_such_server(name))?;
        Ok(EntryText { text: hidden_values::hide_in_entry(&raw), version: version(&raw) })
    }

    /// Checks the text of an entry, and converts it to Usher's spelling. Given secrets and those in plain text are taken
    /// out of it; their names begin with `name` and are not in `taken`. Positions of the errors are those in `text`.
    pub fn draft(
        &self,
        name: &str,
        text: &str,
        given: &[GivenSecret],
        taken: &HashSet<String>,
    ) -> Result<Draft, Vec<Diagnostic>> {
        let shown = in_own_spelling(name, text, self.context())?;
        let (entry, secrets) = plain_secrets::take(&shown, name, given, taken).map_err(invalid)?;
        let hidden = plain_secrets::hidden(&entry).map_err(invalid)?;
        let plain = without_comments(&shown).map_err(|error| vec![error])?;
        let commented = with_comments(&shown).map_err(invalid)?.unwrap_or_else(|| plain.clone());
        let body = format!("{}{entry}}}}}", opening(name));
        let config = parse(&body, self.context()).map_err(|error| vec![error])?;
        match config.servers.into_iter().next() {
            Some(server) => Ok(Draft {
                shown: plain,
                commented,
                entry,
                server,
                warnings: config.warnings,
                secrets,
                hidden,
            }),
            None => Err(config.broken.into_iter().flat_map(|broken| broken.errors).collect()),
        }
    }

    /// Returns the text of an entry in Usher's spelling, with the values of `changed`, which has no comments. Members that
    /// did not change keep their text, and the comments stay.
    pub fn merge_entry(&self, name: &str, text: &str, changed: &str) -> Result<String, ConfigError> {
        let text = in_own_spelling(name, text, self.context()).map_err(|errors| {
            let first = errors.into_iter().next();
            ConfigError::InvalidServer {
                why: first.as_ref().map_or("it has an error".to_owned(), |error| error.message.clone()),
                hint: first.and_then(|error| error.hint),
            }
        })?;
        entry_merge::merge(&text, changed)
    }

    /// Adds an entry as [`ConfigFile::add`] does.
    pub fn add_entry(&self, name: &str, entry: &str) -> Result<Config, ConfigError> {
        self.edit(&Edit::AddEntry { name, entry })
    }

    /// Returns the error that [`ConfigFile::add_entry`] would return, without changing the file.
    pub fn check_add_entry(&self, name: &str, entry: &str) -> Result<(), ConfigError> {
        self.check_edit(&Edit::AddEntry { name, entry })
    }

    /// Replaces an entry if it still has this version. Hidden values stay as they are. The rest of the file does not
    /// change.
    pub fn replace_entry(&self, name: &str, entry: &str, version: &str) -> Result<Config, ConfigError> {
        self.edit(&Edit::ReplaceEntry { name, entry, version })
    }

    /// Returns the error that [`ConfigFile::replace_entry`] would return, without changing the file.
    pub fn check_replace(&self, name: &str, entry: &str, version: &str) -> Result<(), ConfigError> {
        self.check_edit(&Edit::ReplaceEntry { name, entry, version })
    }
}

impl NewServer {
    /// Returns the text of the entry.
    pub fn entry(&self) -> Result<String, ConfigError> {
        let root = parse_root("{}")?;
        root.object_value_or_set().append("entry", self.to_value());
        let body = root.to_string();
        let value = syntax::parse(&body).ok().flatten();
        let prop = value.as_ref().and_then(Value::as_object).and_then(|object| property(object, "entry"));
        Ok(prop.map(|prop| dedented(&body, prop)).unwrap_or_default())
    }
}

fn invalid(error: ConfigError) -> Vec<Diagnostic> {
    vec![problem("", 0, &error.to_string(), error.hint().as_deref())]
}

/// Parses the text of an entry, and returns it in Usher's spelling.
fn in_own_spelling(name: &str, text: &str, context: ParseContext<'_>) -> Result<String, Vec<Diagnostic>> {
    // The entry must be one object: its text must not close the object around it.
    let range = object_range(text).map_err(|error| vec![error])?;
    let opening = opening(name);
    // The text before the object becomes white space, so that errors have their positions in `text`.
    let before = blank(&text[..range.start]);
    let body = format!("{opening}{before}{}}}}}", &text[range.clone()]);
    let adjust = |mut diagnostic: Diagnostic| {
        if diagnostic.line == 1 {
            let shift = u32::try_from(opening.chars().count()).unwrap_or(u32::MAX);
            diagnostic.column = diagnostic.column.saturating_sub(shift).max(1);
        }
        diagnostic
    };
    let config = parse(&body, context).map_err(|error| vec![adjust(error)])?;
    if let Some(broken) = config.broken.first() {
        return Err(broken.errors.iter().cloned().map(adjust).collect());
    }
    // The entry has lines of its own, so that new members get the indentation of the others.
    let file = format!("{{\n  {}: {{\n    {}: {{}}\n  }}\n}}", quoted(SERVERS), quoted(name));
    let body = put(&file, name, &outdented(&text[range])).map_err(invalid)?;
    let formatted = format::format(&body, &config, context).map_or_else(|_| body.clone(), |(body, _)| body);
    Ok(entry_in(&formatted, name).unwrap_or_default())
}

fn without_comments(entry: &str) -> Result<String, Diagnostic> {
    let value: serde_json::Value = parse_to_serde_value(entry, &syntax::options())
        .map_err(|error| problem(entry, error.range().start, &error.kind().to_string(), None))?;
    Ok(format!("{value:#}"))
}

/// Returns an entry as it is written to the file, with its comments; `None` if it has none.
fn with_comments(entry: &str) -> Result<Option<String>, ConfigError> {
    let has_comments = !comments(&parse_root(entry)?.into()).is_empty();
    has_comments.then(|| with_clean_comments(entry)).transpose()
}

/// Returns the text before the only entry of a file.
fn opening(name: &str) -> String {
    format!("{{{}:{{{}:", quoted(SERVERS), quoted(name))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
