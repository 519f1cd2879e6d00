//! The authorization response: the callback address, which is untrusted input.

use std::collections::HashMap;
use std::fmt;

use secrecy::SecretString;
use url::form_urlencoded;
use usher_budgets as budgets;

use crate::display_text::display_text_option;
use crate::{Error, ErrorKind, RedirectUri, Step};

/// A well-formed response at one of our redirect URIs. Its `state` identifies the sign-in.
pub struct AuthorizationResponse {
    redirect: RedirectUri,
    state: String,
    pub(crate) iss: Option<String>,
    pub(crate) outcome: Outcome,
}

/// A successful or an error response (RFC 6749 §4.1.2).
pub(crate) enum Outcome {
    Code(SecretString),
    /// `description` is sanitised for display.
    Error {
        code: String,
        description: Option<String>,
    },
}

impl AuthorizationResponse {
    /// Parses `raw`, which must be one of `redirects` followed by a query.
    ///
    /// The address must not be longer than 4 kB, and must not contain repeated parameters. Only `error_description` may
    /// contain encoded control characters. The address must contain `state`, and either `code` or `error`. A fragment
    /// is ignored.
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
    if raw.len() > budgets::CALLBACK_BYTES {
        return Err("it is longer than 4 kB");
    }
    if !raw.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it contains a character that is not allowed in a URL");
    }
    // Some servers add a fragment such as `#_=_`. It is not part of the response (RFC 6749 §4.1.2).
    let address = raw.split('#').next().unwrap_or_default();
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let Some(redirect) = redirects.into_iter().find(|redirect| redirect.as_str() == address) else {
        return Err("it is not one of Usher's redirect URIs");
    };
    let mut parameters = parameters(query)?;
    let state =
        parameters.remove("state").filter(|state| !state.is_empty()).ok_or("it has no “state” parameter")?;
    let outcome = match (parameters.remove("code"), parameters.remove("error")) {
        (Some(_), Some(_)) => return Err("it contains both a code and an error"),
        (Some(code), None) if !code.is_empty() => Outcome::Code(code.into()),
        (None, Some(code)) if !code.is_empty() => {
            let description = display_text_option(parameters.get("error_description").map(String::as_str));
            Outcome::Error { code, description }
        }
        _ => return Err("it contains neither a code nor an error"),
    };
    Ok(AuthorizationResponse { redirect: redirect.clone(), state, iss: parameters.remove("iss"), outcome })
}

fn parameters(query: &str) -> Result<HashMap<String, String>, &'static str> {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // The decoder replaces invalid UTF-8 with U+FFFD.
        if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
            return Err("it is not UTF-8");
        }
        let may_span_lines = name == "error_description";
        if name.chars().any(char::is_control) || (!may_span_lines && value.chars().any(char::is_control)) {
            return Err("it contains a control character");
        }
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err("it repeats a parameter");
        }
    }
    Ok(parameters)
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}
