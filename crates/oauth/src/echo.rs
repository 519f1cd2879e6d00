//! Removal of secrets from a server's texts.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::byte_serialize;

/// The shortest part of a secret that is removed. Shorter parts also occur by chance.
const SHORTEST: usize = 12;
/// The shortest secret that is removed. A shorter one would also remove parts of ordinary words.
const SHORTEST_SECRET: usize = 6;

/// The secrets of one request. A server can repeat them in its response, whose texts are shown and logged.
#[derive(Default)]
pub(crate) struct Sent(Vec<SecretString>);

impl Sent {
    /// Collects the secrets, each also in the form in which a request encodes it.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let both = |secret: &str| {
            let encoded = form_encoded(secret);
            let differs = encoded != secret;
            [Some(SecretString::from(secret)), differs.then(|| SecretString::from(encoded))]
        };
        let long_enough = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_SECRET);
        Sent(long_enough.flat_map(both).flatten().collect())
    }

    /// Adds a secret that was created for the request.
    pub(crate) fn with(mut self, secret: Option<SecretString>) -> Self {
        self.0.extend(secret);
        self
    }

    /// Adds the value of a `Basic` header (RFC 6749 §2.3.1, RFC 7617 §2), also without the form encoding.
    pub(crate) fn with_basic(mut self, id: &str, secret: &str) -> Self {
        let pairs = [format!("{}:{}", form_encoded(id), form_encoded(secret)), format!("{id}:{secret}")];
        self.0.extend(pairs.map(|pair| BASE64_STANDARD.encode(pair).trim_end_matches('=').into()));
        self
    }

    /// Replaces each secret, and each longer part of one, with `…`.
    pub(crate) fn remove_from(&self, text: &str) -> String {
        let mut cleaned = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            match self.0.iter().map(|secret| common_length(secret.expose_secret(), rest)).max() {
                Some(length) if length > 0 => {
                    cleaned.push('…');
                    rest = &rest[length..];
                }
                Some(_) | None => {
                    cleaned.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        cleaned
    }
}

fn form_encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Returns the length of the longest part of `secret` with which `text` begins, in bytes, or 0 if it is too short.
fn common_length(secret: &str, text: &str) -> usize {
    let shortest = SHORTEST.min(secret.len());
    let Some(start) = text.get(..shortest) else { return 0 };
    let lengths = secret.match_indices(start).map(|(at, _)| {
        let same = secret[at..].chars().zip(text.chars()).take_while(|(one, other)| one == other);
        same.map(|(character, _)| character.len_utf8()).sum()
    });
    lengths.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_their_longer_parts_are_removed() {
        let sent = Sent::new(["the-refresh-token+/=", "s3cret"]);
        let cases = [
            ("nothing to hide", "nothing to hide"),
            ("unknown token the-refresh-token+/=!", "unknown token …!"),
            ("unknown token the-refresh-token%2B%2F%3D!", "unknown token …!"),
            ("starts with the-refresh-to", "starts with …"),
            ("ends with fresh-token+/=, s3cret s3cre", "ends with …, … s3cre"),
            ("the refresh token is unknown: é", "the refresh token is unknown: é"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(sent.remove_from(text), expected);
        }
    }

    #[test]
    fn the_value_of_a_basic_header_is_removed() {
        let sent = Sent::new(["s+cret"]).with_basic("client-0", "s+cret");
        let encode = |text: &str| BASE64_STANDARD.encode(text);
        for (text, expected) in [
            (format!("bad header: Basic {}", encode("client-0:s%2Bcret")), "bad header: Basic …"),
            (format!("bad header: Basic {}", encode("client-0:s+cret")), "bad header: Basic …"),
            (format!("cut off: {}", &encode("client-0:s+cret")[..16]), "cut off: …"),
            (format!("unrelated: {}", encode("nothing")), "unrelated: bm90aGluZw=="),
        ] {
            assert_eq!(
                sent.remove_from(&text).trim_end_matches('='),
                expected.trim_end_matches('='),
                "{text}"
            );
        }
    }
}
