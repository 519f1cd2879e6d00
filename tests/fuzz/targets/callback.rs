//! A callback, which any program or web page can send.

#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_oauth::{AuthorizationResponse, RedirectUri};

fuzz_target!(|callback: &str| {
    let redirects = [RedirectUri::custom_scheme(), RedirectUri::custom_scheme_with_host()];
    match AuthorizationResponse::parse(callback, &redirects) {
        Ok(response) => {
            assert!(callback.starts_with(response.redirect_uri().as_str()));
            assert!(!response.state().is_empty());
            let printed = format!("{response:?}");
            assert!(!printed.contains("code-4711"), "the code is printed: {printed}");
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.chars().any(char::is_control), "a control character: {shown:?}");
            assert!(!shown.contains("code-4711"), "the code is shown: {shown}");
        }
    }
});
