//! Maps the errors of the HTTP library.

use std::error::Error as StdError;

use crate::ErrorKind;
use crate::display_text::display_text;
use crate::resolver::Blocked;
use crate::tls_error::tls_reason;

pub(crate) fn kind_of(error: &reqwest::Error) -> ErrorKind {
    if error.is_timeout() {
        return ErrorKind::Timeout;
    }
    kind_of_cause(error).unwrap_or_else(|| {
        if error.is_decode() {
            return ErrorKind::Malformed { what: "it cannot be decompressed".to_owned() };
        }
        let why = root_cause(error);
        if error.is_connect() || error.is_builder() {
            ErrorKind::Unreachable { why }
        } else {
            ErrorKind::ConnectionLost { why }
        }
    })
}

/// Maps the error of a DNS lookup outside any request.
pub(crate) fn kind_of_lookup(error: &(dyn StdError + 'static)) -> ErrorKind {
    kind_of_cause(error).unwrap_or_else(|| ErrorKind::Unreachable { why: root_cause(error) })
}

fn kind_of_cause(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        // `io::Error::source` skips the wrapped error.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let blocked = current.downcast_ref::<Blocked>();
        if let Some(blocked) = blocked.or_else(|| wrapped?.downcast_ref::<Blocked>()) {
            return Some(ErrorKind::BlockedAddress { address: blocked.name.clone() });
        }
        if let Some(why) = tls_reason(current) {
            return Some(ErrorKind::Tls { why: why.to_owned() });
        }
        cause = current.source();
    }
    None
}

/// The text of the root cause, which contains no URL.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<reqwest::Error>() {
        return "the connection was closed".to_owned();
    }
    display_text(&cause.to_string())
}
