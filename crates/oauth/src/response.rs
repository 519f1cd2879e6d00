//! The authorization response: a raw address from the outside, parsed before anything else happens.

use std::collections::HashMap;
use std::fmt;

use secrecy::SecretString;
use url::form_urlencoded;

use crate::text::shown_option;
use crate::{Error, ErrorKind, RedirectUri, Step};

const LONGEST: usize = 4096;

/// A well-formed answer at one of our redirect URIs. Whose it is, its `state` tells.
pub struct AuthorizationResponse {
    redirect: RedirectUri,
    state: String,
    pub(crate) iss: Option<String>,
    pub(crate) outcome: Outcome,
}

/// Exactly one of the two that RFC 6749 §4.1.2 knows.
pub(crate) enum Outcome {
    Code(SecretString),
    /// `description` is cleaned for display.
    Error {
        code: String,
        description: Option<String>,
    },
}

impl AuthorizationResponse {
    /// Parses `raw`, which must be one of `redirects`, character for character, followed by a query.
    ///
    /// Over 4 kB, control characters, a fragment, a parameter named twice, no `state`, and anything but exactly one of
    /// `code` and `error` are refused.
    pub fn parse<'a>(raw: &str, redirects: impl IntoIterator<Item = &'a RedirectUri>) -> Result<Self, Error> {
        parse(raw, redirects).map_err(|why| Error::new(Step::Callback, None, ErrorKind::BadCallback { why }))
    }

    pub fn state(&self) -> &str {
        &self.state
    }

    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect
    }
}

fn parse<'a>(
    raw: &str,
    redirects: impl IntoIterator<Item = &'a RedirectUri>,
) -> Result<AuthorizationResponse, &'static str> {
    if raw.len() > LONGEST {
        return Err("it is longer than 4 kB");
    }
    if !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds a character that has no place in an address");
    }
    if raw.contains('#') {
        return Err("it holds a fragment");
    }
    let (address, query) = raw.split_once('?').unwrap_or((raw, ""));
    let Some(redirect) = redirects.into_iter().find(|redirect| redirect.as_str() == address) else {
        return Err("it does not lead to this app");
    };
    let mut parameters = parameters(query)?;
    let state = parameters.remove("state").filter(|state| !state.is_empty()).ok_or("it has no state")?;
    let outcome = match (parameters.remove("code"), parameters.remove("error")) {
        (Some(_), Some(_)) => return Err("it holds both a code and an error"),
        (Some(code), None) if !code.is_empty() => Outcome::Code(code.into()),
        (None, Some(code)) if !code.is_empty() => {
            let description = shown_option(parameters.get("error_description").map(String::as_str));
            Outcome::Error { code, description }
        }
        _ => return Err("it holds neither a code nor an error"),
    };
    Ok(AuthorizationResponse { redirect: redirect.clone(), state, iss: parameters.remove("iss"), outcome })
}

fn parameters(query: &str) -> Result<HashMap<String, String>, &'static str> {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // The decoder puts U+FFFD where the bytes are no UTF-8: what was meant is lost.
        if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
            return Err("it is not UTF-8");
        }
        let may_hold_lines = name == "error_description";
        if name.chars().any(char::is_control) || (!may_hold_lines && value.chars().any(char::is_control)) {
            return Err("it holds a control character");
        }
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err("it names a parameter twice");
        }
    }
    Ok(parameters)
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}
