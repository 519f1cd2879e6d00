//! Counts the requests that a service receives during a first sign-in, and during a start with a stored grant.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::figure::Figure;
use super::measurements;
use crate::repository::Repository;

pub fn measure(repository: &Repository) -> Result<[Figure; 2]> {
    println!("bench: counting requests");
    let counted = measurements::of_subject(repository, "wire-count")?;
    Ok([
        first_sign_in(&requests(&counted, "first_sign_in")?),
        stored_grant(&requests(&counted, "stored_grant")?),
    ])
}

fn first_sign_in(requests: &[String]) -> Figure {
    let figure = figure("requests of a first sign-in", requests);
    figure.with_goal("no repeated request", repeated(requests).is_empty())
}

fn stored_grant(requests: &[String]) -> Figure {
    let figure = figure("requests of a start with a stored grant", requests);
    figure.with_goal("no discovery", !requests.iter().any(|request| is_discovery(request)))
}

fn figure(name: &str, requests: &[String]) -> Figure {
    let measured = format!("{} ({})", requests.len(), requests.join(", "));
    // The count is small, so the conversion is exact.
    Figure::new(name, measured).with_value(requests.len() as f64)
}

fn requests(counted: &Value, key: &str) -> Result<Vec<String>> {
    let requests = counted[key].as_array().with_context(|| format!("{key} is missing"))?;
    let texts = requests.iter().map(|request| request.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().with_context(|| format!("{key} is not a list of strings"))
}

/// Requests that were sent more than once with the same result.
fn repeated(requests: &[String]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    requests.iter().map(String::as_str).filter(|request| !seen.insert(*request)).collect()
}

fn is_discovery(request: &str) -> bool {
    request.contains("/.well-known/") || request.contains("/register")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(requests: &[&str]) -> Vec<String> {
        requests.iter().map(|request| (*request).to_owned()).collect()
    }

    #[test]
    fn a_request_with_another_result_does_not_count_as_repeated() {
        let probed = words(&["POST /mcp tools/list 401", "POST /token 200", "POST /mcp tools/list 200"]);
        assert_eq!(repeated(&probed), Vec::<&str>::new());
        let again = words(&["POST /token 200", "POST /token 200"]);
        assert_eq!(repeated(&again), ["POST /token 200"]);
    }

    #[test]
    fn discovery_is_metadata_and_registration() {
        assert!(is_discovery("GET /.well-known/oauth-protected-resource/mcp 200"));
        assert!(is_discovery("POST /register 201"));
        assert!(!is_discovery("POST /token refresh_token 200"));
    }

    #[test]
    fn anything_but_strings_is_an_error() {
        assert!(requests(&serde_json::json!({ "stored_grant": [1] }), "stored_grant").is_err());
        assert!(requests(&serde_json::json!({}), "stored_grant").is_err());
    }
}
