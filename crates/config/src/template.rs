//! Values with placeholders: `{{name}}` for a stored secret, `${VAR}` and `${VAR:-default}` for the environment.

use secrecy::{ExposeSecret, SecretString};

use crate::Environment;
use crate::placeholder::{Placeholder, is_secret_name, is_variable_name};

/// A value whose placeholders are resolved when it is used. It may contain a secret in plain text, so `Debug`
/// shows only the names of its placeholders.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
    is_literal: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Secret(String),
    Variable { name: String, default: Option<String> },
}

/// An invalid placeholder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("`{{{{` has no closing `}}}}`")]
    UnclosedSecret,
    #[error("`${{` has no closing `}}`")]
    UnclosedVariable,
    #[error("`{0}` is not a valid secret name; use letters, digits, `_`, `-` and `.`")]
    BadSecretName(String),
    #[error("`{0}` is not a valid environment variable name")]
    BadVariableName(String),
}

/// A placeholder that could not be resolved, or a resolved value that is not allowed in a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("there is no secret named `{name}`")]
    NoSecret { name: String },
    #[error("the environment variable {name} is not set")]
    NoVariable { name: String },
    #[error("the value of the header `{header}` contains a line break or another control character")]
    NotAHeaderValue { header: String },
}

impl RenderError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::NoSecret { name } => format!("Store it with `usher secret set {name}`."),
            Self::NoVariable { name } => {
                format!("Set {name} before you start Usher, or write ${{{name}:-default}} in mcp.json.")
            }
            Self::NotAHeaderValue { .. } => "Set the secret again without a trailing line break.".to_owned(),
        }
    }
}

impl Template {
    /// Parses a value. Only `{{` and `${` have a special meaning.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some(at) = next_placeholder(rest) {
            push_text(&mut parts, &rest[..at]);
            let placeholder = &rest[at..];
            let (part, length) = if placeholder.starts_with("{{") {
                parse_secret(placeholder)?
            } else {
                parse_variable(placeholder)?
            };
            parts.push(part);
            rest = &placeholder[length..];
        }
        push_text(&mut parts, rest);
        Ok(Self { source: source.to_owned(), parts, is_literal: false })
    }

    /// Creates a value without placeholders. `{{` and `${` have no special meaning in it.
    pub fn literal(text: &str) -> Self {
        let mut parts = Vec::new();
        push_text(&mut parts, text);
        Self { source: text.to_owned(), parts, is_literal: true }
    }

    /// The text in the file. It may contain a secret in plain text, so it must not be logged or displayed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether `{{` and `${` have no special meaning in the value, as in a file of environment variables.
    pub fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// Whether the value has any placeholder.
    pub fn has_placeholders(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Text(_)))
    }

    /// The names of the stored secrets in order of appearance, without duplicates.
    pub fn secret_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in &self.parts {
            if let Part::Secret(name) = part
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The placeholders that have a value to insert, in order of appearance, without duplicates. Variables that are not
    /// set, or that are replaced by their default, are left out.
    pub fn placeholders(&self, environment: &Environment) -> Vec<Placeholder> {
        let mut placeholders = Vec::new();
        for part in &self.parts {
            let placeholder = match part {
                Part::Text(_) => continue,
                Part::Secret(name) => Placeholder::Secret(name.clone()),
                Part::Variable { name, default } => match (environment.get(name), default) {
                    (None, _) | (Some(""), Some(_)) => continue,
                    (Some(_), _) => Placeholder::Variable(name.clone()),
                },
            };
            if !placeholders.contains(&placeholder) {
                placeholders.push(placeholder);
            }
        }
        placeholders
    }

    /// All placeholders in order of appearance, with duplicates.
    pub fn named_placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Secret(name) => Some(Placeholder::Secret(name.clone())),
            Part::Variable { name, .. } => Some(Placeholder::Variable(name.clone())),
        })
    }

    /// Resolves the placeholders. `secret` returns the secret for a name from [`Template::secret_names`].
    pub fn render(
        &self,
        environment: &Environment,
        secret: impl Fn(&str) -> Option<SecretString>,
    ) -> Result<SecretString, RenderError> {
        let mut rendered = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => rendered.push_str(text),
                Part::Secret(name) => {
                    let value = secret(name).ok_or_else(|| RenderError::NoSecret { name: name.clone() })?;
                    rendered.push_str(value.expose_secret());
                }
                Part::Variable { name, default } => rendered.push_str(lookup(environment, name, default)?),
            }
        }
        Ok(SecretString::from(rendered))
    }

    /// Resolves a template that must not contain secrets, such as an address.
    pub(crate) fn render_public(&self, environment: &Environment) -> Result<String, RenderError> {
        self.render(environment, |_| None).map(|text| text.expose_secret().to_owned())
    }
}

/// Resolves a variable. As in a shell, the default after `:-` also replaces an empty value.
fn lookup<'a>(
    environment: &'a Environment,
    name: &str,
    default: &'a Option<String>,
) -> Result<&'a str, RenderError> {
    match (environment.get(name), default) {
        (Some(""), Some(default)) | (None, Some(default)) => Ok(default),
        (Some(value), _) => Ok(value),
        (None, None) => Err(RenderError::NoVariable { name: name.to_owned() }),
    }
}

fn next_placeholder(text: &str) -> Option<usize> {
    [text.find("{{"), text.find("${")].into_iter().flatten().min()
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn parse_secret(placeholder: &str) -> Result<(Part, usize), TemplateError> {
    let inside = &placeholder[2..];
    let end = inside.find("}}").ok_or(TemplateError::UnclosedSecret)?;
    let name = inside[..end].trim();
    if !is_secret_name(name) {
        return Err(TemplateError::BadSecretName(name.to_owned()));
    }
    Ok((Part::Secret(name.to_owned()), end + 4))
}

fn parse_variable(placeholder: &str) -> Result<(Part, usize), TemplateError> {
    let inside = &placeholder[2..];
    let end = inside.find('}').ok_or(TemplateError::UnclosedVariable)?;
    let (name, default) = match inside[..end].split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (&inside[..end], None),
    };
    if !is_variable_name(name) {
        return Err(TemplateError::BadVariableName(name.to_owned()));
    }
    Ok((Part::Variable { name: name.to_owned(), default }, end + 3))
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Template(")?;
        for part in &self.parts {
            match part {
                Part::Text(_) => f.write_str("[redacted]")?,
                Part::Secret(name) => write!(f, "{{{{{name}}}}}")?,
                Part::Variable { name, .. } => write!(f, "${{{name}}}")?,
            }
        }
        f.write_str(")")
    }
}
