//! From the HTTP library's errors to ours.

use std::error::Error as StdError;

use crate::ErrorKind;
use crate::resolver::Blocked;
use crate::text::shown;

pub(crate) fn kind_of(error: &reqwest::Error) -> ErrorKind {
    if error.is_timeout() {
        return ErrorKind::Timeout;
    }
    kind_of_cause(error).unwrap_or_else(|| {
        if error.is_decode() {
            return ErrorKind::Malformed { what: "its body cannot be decompressed".to_owned() };
        }
        let why = innermost(error);
        if error.is_connect() || error.is_builder() {
            ErrorKind::Unreachable { why }
        } else {
            ErrorKind::BrokenOff { why }
        }
    })
}

/// The kind of a failed name resolution, outside any request.
pub(crate) fn kind_of_lookup(error: &(dyn StdError + 'static)) -> ErrorKind {
    kind_of_cause(error).unwrap_or_else(|| ErrorKind::Unreachable { why: innermost(error) })
}

fn kind_of_cause(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        // An io::Error's source() skips the error that it wraps.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let wrapped = wrapped.map(|inner| inner as &(dyn StdError + 'static));
        for candidate in [Some(current), wrapped].into_iter().flatten() {
            if let Some(blocked) = candidate.downcast_ref::<Blocked>() {
                return Some(ErrorKind::BlockedAddress { address: blocked.name.clone() });
            }
            if let Some(tls) = candidate.downcast_ref::<native_tls::Error>() {
                return Some(ErrorKind::Tls { why: why_tls(&tls.to_string()) });
            }
        }
        cause = current.source();
    }
    None
}

/// TLS libraries put the reason for people into parentheses at the end.
fn why_tls(text: &str) -> String {
    let reason = text.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    match reason {
        Some(reason) => shown(reason),
        None if text.contains("certificate") => "its certificate is not trusted".to_owned(),
        None => "what answers there does not speak TLS as it should".to_owned(),
    }
}

/// The root cause: it says what happened, and no URL.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<reqwest::Error>() {
        return "the connection broke off".to_owned();
    }
    shown(&cause.to_string())
}
