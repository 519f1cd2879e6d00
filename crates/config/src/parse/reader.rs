//! Reads typed JSON values and collects errors and warnings.

use std::collections::HashSet;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;

use super::ParseContext;
use crate::display::display_text;
use crate::text::Positions;
use crate::{Diagnostic, Placeholder, Severity, Template};

/// The maximum number of warnings. A person does not read more.
const MAX_WARNINGS: usize = 1000;

/// Reads the entries of one file. The diagnostics quote names and server types, but no other values.
pub(crate) struct Reader<'t> {
    positions: Positions<'t>,
    pub context: ParseContext<'t>,
    /// The server being read.
    server: Option<String>,
    /// The environment variables of this server that were resolved.
    pub variables: Vec<String>,
    /// The errors of the server being read or, outside a server, of the file.
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str, context: ParseContext<'t>) -> Self {
        Self {
            positions: Positions::new(text),
            context,
            server: None,
            variables: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Begins a server, whose errors are kept apart from those of the others.
    pub fn begin_server(&mut self, at: &impl Ranged, name: String) {
        self.positions.mark(at.start());
        self.variables.clear();
        self.server = Some(name);
    }

    /// Ends the server and returns its errors.
    pub fn end_server(&mut self) -> Vec<Diagnostic> {
        self.server = None;
        std::mem::take(&mut self.errors)
    }

    pub fn error(&mut self, at: &impl Ranged, message: impl Into<String>, hint: impl Into<String>) {
        let diagnostic = self.diagnostic(Severity::Error, at, message.into(), hint.into());
        self.errors.push(diagnostic);
    }

    pub fn warn(&mut self, at: &impl Ranged, message: impl Into<String>, hint: impl Into<String>) {
        if self.warnings.len() >= MAX_WARNINGS {
            return;
        }
        let diagnostic = self.diagnostic(Severity::Warning, at, message.into(), hint.into());
        self.warnings.push(diagnostic);
    }

    fn diagnostic(
        &mut self,
        severity: Severity,
        at: &impl Ranged,
        message: String,
        hint: String,
    ) -> Diagnostic {
        let (line, column) = self.positions.of(at.start());
        let hint = Some(hint).filter(|hint| !hint.is_empty());
        Diagnostic { severity, message, hint, line, column, server: self.server.clone() }
    }

    /// Returns the entries, except comments (names that begin with `_`) and nulls. A duplicate name is an error,
    /// because programs disagree about which of the entries is used.
    pub fn entries<'a>(&mut self, object: &'a Object<'a>) -> Vec<&'a ObjectProp<'a>> {
        let mut entries: Vec<&ObjectProp<'_>> = Vec::new();
        let mut names = HashSet::new();
        for prop in &object.properties {
            let name = prop.name.as_str();
            if name.starts_with('_') || prop.value.as_null_keyword().is_some() {
                continue;
            }
            if names.insert(name) {
                entries.push(prop);
            } else {
                let message = format!("duplicate entry `{}`", display_name(name));
                self.error(prop, message, "Remove one of them.");
            }
        }
        entries
    }

    pub fn warn_unknown(&mut self, prop: &ObjectProp<'_>) {
        let message = format!("unknown entry `{}` is ignored", display_name(prop.name.as_str()));
        self.warn(prop, message, "Check the spelling. To mark a comment, begin the name with `_`.");
    }

    /// Warns about another client's name for an entry.
    pub fn warn_alias(&mut self, prop: &ObjectProp<'_>, canonical: &str) {
        let name = display_name(prop.name.as_str());
        self.warn_spelling(prop, format!("`{name}` is treated as `{canonical}`"), canonical);
    }

    /// Warns about another client's spelling.
    pub fn warn_spelling(&mut self, at: &impl Ranged, message: String, canonical: &str) {
        let hint = format!("Usher's name for it is `{canonical}`. `usher config format` rewrites it.");
        self.warn(at, message, hint);
    }

    /// Reads a value into its slot.
    pub fn set<T: PartialEq>(
        &mut self,
        slot: &mut Option<T>,
        prop: &ObjectProp<'_>,
        read: impl FnOnce(&mut Self, &ObjectProp<'_>) -> Option<T>,
    ) {
        if let Some(value) = read(self, prop) {
            self.put(slot, prop, value);
        }
    }

    /// Puts a value into its slot. The slot may already have a value, from another name of the same setting. An equal
    /// value is then a warning, and a different one an error.
    pub fn put<T: PartialEq>(&mut self, slot: &mut Option<T>, prop: &ObjectProp<'_>, value: T) {
        let name = display_name(prop.name.as_str());
        match slot {
            None => *slot = Some(value),
            Some(earlier) if *earlier == value => {
                let message = format!("`{name}` repeats another entry with the same value");
                self.warn(prop, message, "Remove one of them.");
            }
            Some(_) => {
                let message = format!("`{name}` contradicts another entry for the same setting");
                self.error(prop, message, "Remove one of them.");
            }
        }
    }

    pub fn string(&mut self, prop: &ObjectProp<'_>) -> Option<String> {
        let text = prop.value.as_string_lit().map(|text| text.value.clone().into_owned());
        self.expect_type(prop, text, "a string in double quotes")
    }

    pub fn boolean(&mut self, prop: &ObjectProp<'_>) -> Option<bool> {
        self.expect_type(prop, prop.value.as_boolean_lit().map(|boolean| boolean.value), "true or false")
    }

    pub fn object<'a>(&mut self, prop: &'a ObjectProp<'a>) -> Option<&'a Object<'a>> {
        self.expect_type(prop, prop.value.as_object(), "an object in `{ }`")
    }

    pub fn strings(&mut self, prop: &ObjectProp<'_>) -> Option<Vec<String>> {
        let strings = prop.value.as_array().and_then(|array| {
            let texts = array.elements.iter().map(|element| element.as_string_lit());
            texts.map(|text| text.map(|text| text.value.clone().into_owned())).collect()
        });
        self.expect_type(prop, strings, "a list of strings, such as [\"a\", \"b\"]")
    }

    pub fn template(&mut self, prop: &ObjectProp<'_>) -> Option<Template> {
        let source = self.string(prop)?;
        self.parse_template(&prop.value, prop.name.as_str(), &source)
    }

    pub fn templates(&mut self, prop: &ObjectProp<'_>) -> Option<Vec<Template>> {
        let sources = self.strings(prop)?;
        sources.iter().map(|source| self.parse_template(&prop.value, prop.name.as_str(), source)).collect()
    }

    /// Reads a string and resolves its environment variables. Secrets are not allowed.
    pub fn resolved(&mut self, prop: &ObjectProp<'_>) -> Option<String> {
        let template = self.template(prop)?;
        let name = display_name(prop.name.as_str());
        if !template.secret_names().is_empty() {
            let hint = "Use `${VAR}` here. `{{name}}` works in headers, clientSecret and env.";
            self.error(&prop.value, format!("`{name}` cannot contain a secret"), hint);
            return None;
        }
        for placeholder in template.placeholders(self.context.environment) {
            if let Placeholder::Variable(variable) = placeholder
                && !self.variables.contains(&variable)
            {
                self.variables.push(variable);
            }
        }
        let text = template.render_public(self.context.environment);
        text.map_err(|error| {
            self.error(&prop.value, format!("`{name}` cannot be resolved: {error}"), error.hint());
        })
        .ok()
    }

    fn parse_template(&mut self, at: &Value<'_>, name: &str, source: &str) -> Option<Template> {
        Template::parse(source)
            .inspect_err(|error| {
                let hint = "Write `{{name}}` for a stored secret or `${VAR}` for an environment variable.";
                self.error(at, format!("`{}` has an invalid placeholder: {error}", display_name(name)), hint);
            })
            .ok()
    }

    /// Returns the value, or reports that the entry has another type.
    fn expect_type<T>(&mut self, prop: &ObjectProp<'_>, value: Option<T>, expected: &str) -> Option<T> {
        if value.is_some() {
            return value;
        }
        let name = display_name(prop.name.as_str());
        let actual = match &prop.value {
            Value::StringLit(_) => "a string",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(_) => "true or false",
            Value::Object(_) => "an object",
            Value::Array(_) => "a list",
            Value::NullKeyword(_) => "null",
        };
        self.error(&prop.value, format!("`{name}` is {actual}, but must be {expected}"), "");
        None
    }
}

/// Sanitises a name from the file for display.
pub(crate) fn display_name(name: &str) -> String {
    display_text(name, 60)
}
