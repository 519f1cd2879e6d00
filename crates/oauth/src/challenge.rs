//! The challenges in the `WWW-Authenticate` headers of a 401 or 403: Bearer and DPoP.

use http::HeaderValue;

use crate::display_text::display_text_option;
use crate::{DpopKey, ProofRefusal, Scopes};

/// The parameters of the Bearer and DPoP challenges of one response (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    pub resource_metadata: Option<String>,
    pub scope: Option<Scopes>,
    pub error: Option<String>,
    /// Sanitised for display.
    pub error_description: Option<String>,
    /// Whether there is a Bearer challenge.
    pub offers_bearer: bool,
    /// Whether there is a DPoP challenge that accepts the algorithm of Usher's proofs.
    pub offers_dpop: bool,
}

impl Challenge {
    /// Parses the `WWW-Authenticate` headers of one response; each may contain several challenges. Prefers the first
    /// challenge with resource metadata, else the first one. The error of a request with a proof is that of the DPoP
    /// challenge.
    pub fn from_headers<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Option<Self> {
        let texts: Vec<_> =
            values.into_iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let found: Vec<Self> = texts
            .iter()
            .flat_map(|text| challenges(text))
            .filter_map(|challenge| Self::from_parameters(&challenge))
            .collect();
        let with_metadata = found.iter().find(|challenge| challenge.resource_metadata.is_some());
        let mut preferred = with_metadata.or(found.first())?.clone();
        let of_proofs = || found.iter().filter(|challenge| !challenge.offers_bearer);
        // The refusal of a proof says nothing about the token, whatever a challenge for bearer tokens says.
        let refused_proof = of_proofs().find(|challenge| challenge.proof_refusal().is_some());
        let other = || of_proofs().find(|challenge| challenge.error.is_some() && preferred.error.is_none());
        if let Some(refused) = refused_proof.or_else(other) {
            preferred.error = refused.error.clone();
            preferred.error_description = refused.error_description.clone();
            preferred.scope = preferred.scope.or_else(|| refused.scope.clone());
        }
        preferred.offers_bearer = found.iter().any(|challenge| challenge.offers_bearer);
        preferred.offers_dpop = found.iter().any(|challenge| challenge.offers_dpop);
        Some(preferred)
    }

    /// Returns `None` for a challenge of another scheme.
    fn from_parameters(challenge: &SchemeChallenge<'_>) -> Option<Self> {
        let is_scheme = |name: &str| challenge.scheme.eq_ignore_ascii_case(name);
        let (is_bearer, is_dpop) = (is_scheme("bearer"), is_scheme("dpop"));
        if !is_bearer && !is_dpop {
            return None;
        }
        let value = |name: &str| {
            let mut named = challenge.parameters.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            named.next().map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        let accepts_proofs =
            value("algs").is_none_or(|names| names.split(' ').any(|name| name == DpopKey::ALGORITHM));
        Some(Challenge {
            resource_metadata: value("resource_metadata"),
            scope: value("scope").map(|scope| Scopes::parse(&scope)),
            error: value("error"),
            error_description: display_text_option(value("error_description").as_deref()),
            offers_bearer: is_bearer,
            offers_dpop: is_dpop && accepts_proofs,
        })
    }

    /// Whether the token is valid but lacks scopes (RFC 6750 §3.1).
    pub fn is_insufficient_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }

    /// The reason why the proof of the request was refused, if that is the reason for the challenge.
    pub fn proof_refusal(&self) -> Option<ProofRefusal> {
        ProofRefusal::parse(self.error.as_deref()?)
    }
}

/// A challenge of any scheme (RFC 9110 §11.6.1).
struct SchemeChallenge<'a> {
    scheme: &'a str,
    parameters: Vec<(&'a str, String)>,
}

/// Splits a header into its challenges. Commas separate both parameters and challenges. A word followed by `=` is a
/// parameter of the current challenge. Any other word begins a new challenge.
fn challenges(text: &str) -> Vec<SchemeChallenge<'_>> {
    let mut found: Vec<SchemeChallenge<'_>> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = rest.split_at(rest.find(|c: char| !is_token(c)).unwrap_or(rest.len()));
        if word.is_empty() {
            // Invalid syntax: continue after the next comma.
            match rest.find(',') {
                Some(comma) => rest = &rest[comma..],
                None => return found,
            }
            continue;
        }
        let value =
            after.trim_start_matches([' ', '\t']).strip_prefix('=').filter(|value| !value.starts_with('='));
        match (value, found.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, after) = parameter_value(value.trim_start_matches([' ', '\t']));
                challenge.parameters.push((word, value));
                rest = after;
            }
            (Some(value), None) => rest = parameter_value(value).1,
            (None, _) if after.starts_with('=') => rest = after.trim_start_matches('='),
            (None, _) => {
                found.push(SchemeChallenge { scheme: word, parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

/// A token or a quoted string (RFC 9110 §5.6.4). Some servers do not quote URLs and scopes, so an unquoted value ends
/// at the next comma or whitespace.
fn parameter_value(text: &str) -> (String, &str) {
    if let Some(value) = single_quoted(text) {
        return value;
    }
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    (value, "")
}

/// A value in single quotes, which some servers use. The closing quote ends a parameter.
fn single_quoted(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('\'')?;
    let ends = |(at, _): &(usize, &str)| {
        let rest = &quoted[at + 1..];
        rest.is_empty() || rest.starts_with([',', ' ', '\t'])
    };
    let (end, _) = quoted.match_indices('\'').find(ends)?;
    Some((quoted[..end].to_owned(), &quoted[end + 1..]))
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
