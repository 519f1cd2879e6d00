//! What a sign-in and a start ask the network for, counted by the service that was asked.

use std::collections::BTreeSet;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::figure::Figure;
use crate::command;
use crate::repository::Repository;

pub fn measure(repository: &Repository) -> Result<[Figure; 2]> {
    println!("bench: counting requests");
    let mut count = repository.command(repository.built("debug", "wire-count"));
    // It gives up by itself after a minute.
    let output = count.stderr(Stdio::inherit()).output().with_context(|| command::words(&count))?;
    if !output.status.success() {
        bail!("{} failed ({})", command::words(&count), output.status);
    }
    let counted: Value = serde_json::from_slice(&output.stdout).context("read the counted requests")?;
    Ok([
        first_sign_in(&requests(&counted, "first_sign_in")?),
        kept_sign_in(&requests(&counted, "kept_sign_in")?),
    ])
}

fn first_sign_in(requests: &[String]) -> Figure {
    let figure = figure("requests of a first sign-in", requests);
    figure.with_goal("nothing asked twice", twice(requests).is_empty())
}

fn kept_sign_in(requests: &[String]) -> Figure {
    let figure = figure("requests of a start with a kept sign-in", requests);
    figure.with_goal("no discovery", !requests.iter().any(|request| is_discovery(request)))
}

fn figure(name: &str, requests: &[String]) -> Figure {
    let measured = format!("{} ({})", requests.len(), requests.join(", "));
    // Far below what a double can hold.
    Figure::new(name, measured).with_value(requests.len() as f64)
}

fn requests(counted: &Value, key: &str) -> Result<Vec<String>> {
    let requests = counted[key].as_array().with_context(|| format!("{key} is missing"))?;
    let words = requests.iter().map(|request| request.as_str().map(str::to_owned));
    words.collect::<Option<_>>().with_context(|| format!("{key} is no list of words"))
}

/// What was asked and answered the same way more than once.
fn twice(requests: &[String]) -> Vec<&str> {
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
    fn the_same_question_with_another_answer_is_not_asked_twice() {
        let probed_then_used =
            words(&["POST /mcp tools/list 401", "POST /token 200", "POST /mcp tools/list 200"]);
        assert_eq!(twice(&probed_then_used), Vec::<&str>::new());
        let asked_again = words(&["POST /token 200", "POST /token 200"]);
        assert_eq!(twice(&asked_again), ["POST /token 200"]);
    }

    #[test]
    fn discovery_is_metadata_and_registration() {
        assert!(is_discovery("GET /.well-known/oauth-protected-resource/mcp 200"));
        assert!(is_discovery("POST /register 201"));
        assert!(!is_discovery("POST /token refresh_token 200"));
    }

    #[test]
    fn anything_but_words_is_refused() {
        assert!(requests(&serde_json::json!({ "kept_sign_in": [1] }), "kept_sign_in").is_err());
        assert!(requests(&serde_json::json!({}), "kept_sign_in").is_err());
    }
}
