//! `WWW-Authenticate` headers, one per line.

#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use usher_oauth::Challenge;

fuzz_target!(|bytes: &[u8]| {
    let headers: Vec<HeaderValue> =
        bytes.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let Some(challenge) = Challenge::from_headers(&headers) else { return };
    let _ = challenge.is_insufficient_scope();
    if let Some(description) = &challenge.error_description {
        assert!(!description.chars().any(char::is_control), "a control character: {description:?}");
    }
    if let Some(scope) = &challenge.scope {
        assert!(!scope.to_string().chars().any(char::is_control), "a control character: {scope:?}");
    }
});
