//! Reads a file of environment variables, which VS Code and Cursor call `envFile`.

use std::collections::HashMap;
use std::io;
use std::io::ErrorKind;
use std::path::Path;

use crate::limited_read::read_limited;

/// The largest file that is read. Operating systems limit the environment of a program to a similar size.
const MAX_BYTES: u64 = 256 * 1024;

/// A file that cannot be used. The message never contains a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvFileError {
    #[error("the file does not exist")]
    Missing,
    #[error("the file cannot be read ({0})")]
    Unreadable(io::Error),
    #[error("the file is larger than 256 KiB")]
    TooLarge,
    #[error("the file is not saved as UTF-8")]
    NotUtf8,
    #[error("line {line}: {why}")]
    Line { line: usize, why: &'static str },
}

/// Reads `NAME=value` lines. A later line for the same name replaces an earlier one. Values have no placeholders.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, String)>, EnvFileError> {
    let bytes = read_limited(path, MAX_BYTES).map_err(|error| match error.kind() {
        ErrorKind::NotFound => EnvFileError::Missing,
        _ => EnvFileError::Unreadable(error),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(EnvFileError::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|_| EnvFileError::NotUtf8)?;
    parse(text.strip_prefix('\u{feff}').unwrap_or(&text))
}

fn parse(text: &str) -> Result<Vec<(String, String)>, EnvFileError> {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut positions = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let invalid = |why| EnvFileError::Line { line: index + 1, why };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let assignment = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = assignment.split_once('=').ok_or_else(|| invalid("expected NAME=value"))?;
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) || name.contains('\0') {
            return Err(invalid("the name of the variable is not valid"));
        }
        let value = parse_value(value.trim_start()).map_err(invalid)?;
        if value.contains('\0') {
            return Err(invalid("the value contains a null character"));
        }
        match positions.get(name) {
            Some(&position) => variables[position] = (name.to_owned(), value),
            None => {
                positions.insert(name, variables.len());
                variables.push((name.to_owned(), value));
            }
        }
    }
    Ok(variables)
}

/// Parses a value: in single quotes, in double quotes with escapes, or without quotes up to ` #`.
fn parse_value(text: &str) -> Result<String, &'static str> {
    let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        let comment = text.find(" #").or_else(|| text.find("\t#")).unwrap_or(text.len());
        let value = if text.starts_with('#') { "" } else { &text[..comment] };
        return Ok(value.trim_end().to_owned());
    };
    let mut value = String::new();
    let mut characters = text[1..].chars();
    loop {
        match characters.next() {
            None => return Err("the value has no closing quote"),
            Some(character) if character == quote => break,
            Some('\\') if quote == '"' => value.push(match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => return Err("the value has no closing quote"),
            }),
            Some(character) => value.push(character),
        }
    }
    let rest = characters.as_str().trim_start();
    if rest.is_empty() || rest.starts_with('#') { Ok(value) } else { Err("text follows the closing quote") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_write_a_value_is_read() {
        let text = "# keys\n\nA=1\nexport B = two words  # a note\nC='$A {{x}} # kept'\nD=\"a\\\"b\\n\\\\\" # note\nE=\nF=#none\nA=2\n";
        let variables = parse(text).expect("valid");
        let expected = [
            ("A", "2"),
            ("B", "two words"),
            ("C", "$A {{x}} # kept"),
            ("D", "a\"b\n\\"),
            ("E", ""),
            ("F", ""),
        ];
        assert_eq!(variables, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(parse("A=1\r\nB=2").expect("valid").len(), 2);
    }

    #[test]
    fn an_invalid_line_is_named_without_its_value() {
        for (text, line) in [
            ("A=1\nhunter2", 2),
            ("=hunter2", 1),
            ("A B=hunter2", 1),
            ("\nA=\"hunter2", 2),
            ("A='hunter2' x", 1),
            ("A=hunter2\0", 1),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.starts_with(&format!("line {line}: ")), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
