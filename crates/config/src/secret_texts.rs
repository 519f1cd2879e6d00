//! Secrets in plain text inside a longer text: an address, a header, or an argument of a program.

use std::ops::Range;

use crate::plain_secrets::{HIDDEN, is_plain, is_secret_header, is_secret_variable};

/// Returns the text with [`HIDDEN`] in place of each secret. Returns `None` if there is none.
pub(crate) fn masked(text: &str) -> Option<String> {
    let secrets = secrets_in(text);
    if secrets.is_empty() {
        return None;
    }
    let mut masked = String::new();
    let mut end = 0;
    for secret in secrets {
        masked.push_str(&text[end..secret.start]);
        masked.push_str(HIDDEN);
        end = secret.end;
    }
    masked.push_str(&text[end..]);
    Some(masked)
}

/// Does the same for an argument, which is a secret itself if the argument before it names one: `--api-key VALUE`.
pub(crate) fn masked_argument(before: Option<&str>, argument: &str) -> Option<String> {
    if is_value_of(before, argument) { Some(HIDDEN.to_owned()) } else { masked(argument) }
}

/// Returns the secrets in plain text among the arguments of a program.
pub fn secrets_in_arguments<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let mut before = None;
    let mut found = Vec::new();
    for argument in arguments.iter().copied() {
        if is_value_of(before, argument) {
            found.push(argument);
        } else {
            found.extend(secrets_in(argument).into_iter().map(|range| &argument[range]));
        }
        before = Some(argument);
    }
    found
}

fn is_value_of(option: Option<&str>, argument: &str) -> bool {
    let is_named = |option: &str| {
        option.starts_with('-') && !option.contains(['=', ':']) && is_secret_variable(option, argument)
    };
    !argument.is_empty() && !argument.starts_with('-') && option.is_some_and(is_named)
}

fn secrets_in(text: &str) -> Vec<Range<usize>> {
    match pair(text) {
        Some(secret) => vec![secret],
        None => secrets_in_address(text),
    }
}

/// Finds the value of `NAME=VALUE`, `--name=VALUE` or `Name: VALUE`, if the name is that of a secret.
fn pair(text: &str) -> Option<Range<usize>> {
    let at = text.find(['=', ':'])?;
    let (name, value) = (text[..at].trim_start_matches('-'), text[at + 1..].trim_start());
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    // In a version such as `name==1.0`, the name is that of a package.
    let is_secret = name.chars().all(is_name)
        && !value.is_empty()
        && !value.starts_with('=')
        && (is_secret_variable(name, value) || is_secret_header(name, value));
    is_secret.then(|| text.len() - value.len()..text.len())
}

/// Finds the user in an address, and the values of its parameters with the name of a secret.
fn secrets_in_address(text: &str) -> Vec<Range<usize>> {
    let Some(start) = text.find("://").map(|at| at + 3) else { return Vec::new() };
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |length| start + length);
    let user = text[start..end].rfind('@').map(|length| start..start + length);
    let mut found: Vec<_> =
        user.filter(|user| !user.is_empty() && is_plain(&text[user.clone()])).into_iter().collect();
    let mut at = text[end..].find(['?', '#']).map_or(text.len(), |length| end + length);
    while at < text.len() {
        let start = at + 1;
        at = text[start..].find(['?', '&', ';', '#']).map_or(text.len(), |length| start + length);
        let Some((name, value)) = text[start..at].split_once('=') else { continue };
        if !value.is_empty() && is_secret_variable(name, value) {
            found.push(at - value.len()..at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_texts_are_masked() {
        for (text, expected) in [
            ("https://a.example/mcp?api_key=sk-1&page=2", "https://a.example/mcp?api_key=[hidden]&page=2"),
            (
                "https://a.example/?a=1&token=t#access_token=u",
                "https://a.example/?a=1&token=[hidden]#access_token=[hidden]",
            ),
            ("postgres://ada:pw@db/notes", "postgres://[hidden]@db/notes"),
            ("--url=https://a.example?key=k", "--url=https://a.example?key=[hidden]"),
            ("Authorization: Bearer sk-1", "Authorization: [hidden]"),
            ("Cookie:a=b", "Cookie:[hidden]"),
            ("--api-key=sk-1", "--api-key=[hidden]"),
            ("API_TOKEN=t", "API_TOKEN=[hidden]"),
        ] {
            assert_eq!(masked(text).as_deref(), Some(expected));
            assert_eq!(masked(expected).as_deref(), Some(expected), "masking changes nothing more");
        }
        for text in [
            "https://a.example/mcp?page=2",
            "https://a.example/mcp?key={{key}}&token=",
            "https://${USER}@a.example",
            "Authorization: {{key}}",
            "Accept: text/plain",
            "--token",
            "token-server==1.0",
            "@scope/key-server:latest",
            "",
        ] {
            assert_eq!(masked(text), None, "{text}");
        }
    }

    #[test]
    fn secrets_among_arguments_are_found() {
        let arguments = [
            "mcp-remote",
            "https://a.example?key=k-1",
            "--header",
            "X-Key: k-2",
            "--token",
            "k-3",
            "--token",
            "--all",
        ];
        assert_eq!(secrets_in_arguments(&arguments), ["k-1", "k-2", "k-3"]);
        assert_eq!(masked_argument(Some("--token"), "k-3").as_deref(), Some(HIDDEN));
        assert_eq!(masked_argument(Some("--all"), "k-3"), None);
    }
}
