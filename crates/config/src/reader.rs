//! Reading one JSON value after another, with everything worth telling collected on the way.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;

use crate::display::display_text;
use crate::text::position;
use crate::{Diagnostic, Environment, Severity, Template};

/// What is told never quotes a value, only names.
pub(crate) struct Reader<'t> {
    text: &'t str,
    pub environment: &'t Environment,
    /// The server being read.
    pub server: Option<String>,
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str, environment: &'t Environment) -> Self {
        Self { text, environment, server: None, errors: Vec::new(), warnings: Vec::new() }
    }

    pub fn error(&mut self, at: &impl Ranged, message: impl Into<String>, hint: impl Into<String>) {
        let diagnostic = self.diagnostic(Severity::Error, at, message.into(), hint.into());
        self.errors.push(diagnostic);
    }

    pub fn warn(&mut self, at: &impl Ranged, message: impl Into<String>, hint: impl Into<String>) {
        let diagnostic = self.diagnostic(Severity::Warning, at, message.into(), hint.into());
        self.warnings.push(diagnostic);
    }

    fn diagnostic(&self, severity: Severity, at: &impl Ranged, message: String, hint: String) -> Diagnostic {
        let (line, column) = position(self.text, at.start());
        let hint = Some(hint).filter(|hint| !hint.is_empty());
        Diagnostic { severity, message, hint, line, column, server: self.server.clone() }
    }

    /// The entries that count: without comments (names that begin with `_`) and nulls. A name that stands
    /// twice is an error, because programs differ in which one they take.
    pub fn entries<'a>(&mut self, object: &'a Object<'a>) -> Vec<&'a ObjectProp<'a>> {
        let mut entries: Vec<&ObjectProp<'_>> = Vec::new();
        for prop in &object.properties {
            let name = prop.name.as_str();
            if entries.iter().any(|earlier| earlier.name.as_str() == name) {
                let message = format!("`{}` stands here a second time", shown(name));
                self.error(prop, message, "Keep one of them.");
            } else if !name.starts_with('_') && prop.value.as_null_keyword().is_none() {
                entries.push(prop);
            }
        }
        entries
    }

    /// An entry that nobody reads.
    pub fn unknown(&mut self, prop: &ObjectProp<'_>) {
        let message = format!("Usher does not know `{}` and leaves it alone", shown(prop.name.as_str()));
        self.warn(prop, message, "Check its spelling, or begin its name with `_` to mark it as a comment.");
    }

    /// An entry in another product's spelling.
    pub fn spelling(&mut self, prop: &ObjectProp<'_>, ours: &str) {
        let name = shown(prop.name.as_str());
        self.warn(
            prop,
            format!("`{name}` is read as `{ours}`"),
            format!("Usher's own name for it is `{ours}`."),
        );
    }

    /// Fills a slot once, whatever spellings there are for it.
    pub fn set<T>(&mut self, slot: &mut Option<T>, value: Option<T>, prop: &ObjectProp<'_>) {
        if slot.is_some() {
            let message =
                format!("`{}` says a second time what another entry says", shown(prop.name.as_str()));
            self.error(prop, message, "Keep one of them.");
        } else {
            *slot = value;
        }
    }

    pub fn string(&mut self, prop: &ObjectProp<'_>) -> Option<String> {
        let Some(text) = prop.value.as_string_lit() else {
            self.wrong_kind(prop, "text in double quotes");
            return None;
        };
        Some(text.value.clone().into_owned())
    }

    pub fn boolean(&mut self, prop: &ObjectProp<'_>) -> Option<bool> {
        let Some(boolean) = prop.value.as_boolean_lit() else {
            self.wrong_kind(prop, "true or false");
            return None;
        };
        Some(boolean.value)
    }

    pub fn object<'a>(&mut self, prop: &'a ObjectProp<'a>) -> Option<&'a Object<'a>> {
        let object = prop.value.as_object();
        if object.is_none() {
            self.wrong_kind(prop, "an object in `{ }`");
        }
        object
    }

    pub fn strings(&mut self, prop: &ObjectProp<'_>) -> Option<Vec<String>> {
        let strings = prop.value.as_array().and_then(|array| {
            let texts = array.elements.iter().map(|element| element.as_string_lit());
            texts.map(|text| text.map(|text| text.value.clone().into_owned())).collect()
        });
        if strings.is_none() {
            self.wrong_kind(prop, "a list of texts, as in [\"a\", \"b\"]");
        }
        strings
    }

    pub fn template(&mut self, prop: &ObjectProp<'_>) -> Option<Template> {
        let source = self.string(prop)?;
        self.parse_template(&prop.value, prop.name.as_str(), &source)
    }

    pub fn templates(&mut self, prop: &ObjectProp<'_>) -> Option<Vec<Template>> {
        let sources = self.strings(prop)?;
        sources.iter().map(|source| self.parse_template(&prop.value, prop.name.as_str(), source)).collect()
    }

    /// A text with the environment's variables filled in; secrets have no place in it.
    pub fn filled(&mut self, prop: &ObjectProp<'_>) -> Option<String> {
        let template = self.template(prop)?;
        let name = shown(prop.name.as_str());
        if !template.names().is_empty() {
            let hint = "Use `${VARIABLE}` here; `{{name}}` works in headers, clientSecret and env.";
            self.error(&prop.value, format!("`{name}` cannot hold a secret"), hint);
            return None;
        }
        match template.render_public(self.environment) {
            Ok(text) => Some(text),
            Err(error) => {
                self.error(&prop.value, format!("`{name}` cannot be filled: {error}"), error.hint());
                None
            }
        }
    }

    fn parse_template(&mut self, at: &Value<'_>, name: &str, source: &str) -> Option<Template> {
        Template::parse(source)
            .inspect_err(|error| {
                let hint = "`{{name}}` stands for a kept secret, `${VAR}` for an environment variable.";
                self.error(at, format!("`{}` cannot be read: {error}", shown(name)), hint);
            })
            .ok()
    }

    fn wrong_kind(&mut self, prop: &ObjectProp<'_>, expected: &str) {
        let name = shown(prop.name.as_str());
        let what = match &prop.value {
            Value::StringLit(_) => "text",
            Value::NumberLit(_) => "a number",
            Value::BooleanLit(_) => "true or false",
            Value::Object(_) => "an object",
            Value::Array(_) => "a list",
            Value::NullKeyword(_) => "null",
        };
        self.error(&prop.value, format!("`{name}` is {what}, but must be {expected}"), "");
    }
}

/// A name from the file, fit to be shown.
pub(crate) fn shown(name: &str) -> String {
    display_text(name, 60)
}
