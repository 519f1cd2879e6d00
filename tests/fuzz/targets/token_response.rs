//! A response of a token endpoint: the status on the first line, then the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_oauth::fuzzing;

const SECRETS: [&str; 2] = ["refresh-token-4711/+=", "client-secret-0815"];

fuzz_target!(|bytes: &[u8]| {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (status, body) = bytes.split_at(line);
    let status = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok()).unwrap_or(200);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    match fuzzing::token_response(status, body, SECRETS) {
        Ok(access_token) => assert!(!access_token.is_empty()),
        Err(error) => {
            let shown = format!("{error} {error:?}");
            for secret in SECRETS {
                assert!(!shown.contains(secret), "a secret is shown: {shown}");
            }
            assert!(!error.to_string().chars().any(char::is_control), "a control character: {shown:?}");
        }
    }
});
