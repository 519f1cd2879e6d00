//! A value with holes: `{{name}}` for a kept secret, `${VAR}` and `${VAR:-default}` for the environment.

use secrecy::{ExposeSecret, SecretString};

use crate::Environment;

/// A text whose holes are filled at the last moment. It may hold a secret typed by hand, so `Debug` shows
/// only the names of its holes.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Secret(String),
    Variable { name: String, default: Option<String> },
}

/// A template that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("`{{{{` has no `}}}}` after it")]
    UnclosedSecret,
    #[error("`${{` has no `}}` after it")]
    UnclosedVariable,
    #[error("`{0}` is not a name; use letters, digits, `_`, `-` and `.`")]
    BadSecretName(String),
    #[error("`{0}` is not the name of an environment variable")]
    BadVariableName(String),
}

/// A hole that nothing fills.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("there is no secret named `{name}`")]
    NoSecret { name: String },
    #[error("the environment variable {name} is not set")]
    NoVariable { name: String },
    #[error("the value for the header `{header}` would have a line break or another control character")]
    NotAHeaderValue { header: String },
}

impl RenderError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::NoSecret { name } => format!("Keep it with `usher secret set {name}`."),
            Self::NoVariable { name } => {
                format!("Set {name} where Usher is started, or write ${{{name}:-default}} in mcp.json.")
            }
            Self::NotAHeaderValue { .. } => {
                "Set the secret again without a line break at its end.".to_owned()
            }
        }
    }
}

impl Template {
    /// Reads a text. `{{` and `${` begin a hole; there is no other special character.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some(at) = next_hole(rest) {
            push_text(&mut parts, &rest[..at]);
            let hole = &rest[at..];
            let (part, length) = if hole.starts_with("{{") { secret(hole)? } else { variable(hole)? };
            parts.push(part);
            rest = &hole[length..];
        }
        push_text(&mut parts, rest);
        Ok(Self { source: source.to_owned(), parts })
    }

    /// A text without holes, whatever characters it has.
    pub fn literal(text: &str) -> Self {
        Self { source: text.to_owned(), parts: vec![Part::Text(text.to_owned())] }
    }

    /// As it stands in the file. It may hold a secret typed by hand: not for logs or the window.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether anything is to be filled in.
    pub fn has_holes(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Text(_)))
    }

    /// The kept secrets it needs, in order of appearance, each once.
    pub fn names(&self) -> Vec<&str> {
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

    /// Fills the holes. `secret` is asked for every name of [`Template::names`].
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

    /// Fills a template that may not hold secrets, such as an address.
    pub(crate) fn render_public(&self, environment: &Environment) -> Result<String, RenderError> {
        self.render(environment, |_| None).map(|text| text.expose_secret().to_owned())
    }
}

/// As in a shell, `:-` also replaces an empty variable.
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

fn next_hole(text: &str) -> Option<usize> {
    [text.find("{{"), text.find("${")].into_iter().flatten().min()
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn secret(hole: &str) -> Result<(Part, usize), TemplateError> {
    let inside = &hole[2..];
    let end = inside.find("}}").ok_or(TemplateError::UnclosedSecret)?;
    let name = inside[..end].trim();
    let allowed = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(TemplateError::BadSecretName(name.to_owned()));
    }
    Ok((Part::Secret(name.to_owned()), end + 4))
}

fn variable(hole: &str) -> Result<(Part, usize), TemplateError> {
    let inside = &hole[2..];
    let end = inside.find('}').ok_or(TemplateError::UnclosedVariable)?;
    let (name, default) = match inside[..end].split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (&inside[..end], None),
    };
    let first_fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !first_fits || !name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_') {
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
