//! `WWW-Authenticate` headers of real servers.

use axum::http::HeaderValue;
use usher_oauth::{Challenge, ProofRefusal, Scopes};

fn read(headers: &[&str]) -> Option<Challenge> {
    let values: Vec<HeaderValue> =
        headers.iter().map(|text| HeaderValue::from_bytes(text.as_bytes()).unwrap()).collect();
    Challenge::from_headers(&values)
}

fn bearer(metadata: &str, scope: &str, error: &str, description: &str) -> Option<Challenge> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(Challenge {
        resource_metadata: some(metadata),
        scope: some(scope).map(|scope| Scopes::parse(&scope)),
        error: some(error),
        error_description: some(description),
        offers_bearer: true,
        offers_dpop: false,
    })
}

/// A response with a DPoP challenge, and with a Bearer challenge if `offers_bearer` is true.
fn dpop(metadata: &str, scope: &str, error: &str, offers_bearer: bool) -> Option<Challenge> {
    let plain = bearer(metadata, scope, error, "")?;
    Some(Challenge { offers_bearer, offers_dpop: true, ..plain })
}

#[test]
fn every_spelling_is_parsed() {
    let table: &[(&[&str], Option<Challenge>)] = &[
        (&[], None),
        (&["Basic realm=\"x\""], None),
        (&["Bearer"], bearer("", "", "", "")),
        (&["bearer realm=mcp"], bearer("", "", "", "")),
        (
            &[r#"Bearer resource_metadata="https://a.example/m", scope="read write""#],
            bearer("https://a.example/m", "read write", "", ""),
        ),
        // Several headers; Bearer is not the first.
        (&["Basic realm=\"x\"", r#"Bearer scope="a""#], bearer("", "a", "", "")),
        // Several schemes in one header.
        (
            &[r#"Basic realm="a, Bearer scope=\"no\"", Bearer error="invalid_token", DPoP algs="ES256""#],
            dpop("", "", "invalid_token", true),
        ),
        // The refusal of a proof says nothing about the token.
        (
            &[r#"Bearer error="invalid_token", DPoP error="use_dpop_nonce""#],
            dpop("", "", "use_dpop_nonce", true),
        ),
        (
            &[r#"DPoP error="invalid_token", Bearer error="insufficient_scope""#],
            dpop("", "", "invalid_token", true),
        ),
        (&[r#"Negotiate YWJj==, Bearer scope=a"#], bearer("", "a", "", "")),
        (&[r#"Bearer scope="a", Basic scope="b""#], bearer("", "a", "", "")),
        // Quoted pairs, commas and equals signs inside quotes.
        (
            &[r#"Bearer error="invalid_token", error_description="it \"said\": a=b, c", scope="x""#],
            bearer("", "x", "invalid_token", "it \"said\": a=b, c"),
        ),
        // Whitespace around everything, names in another case, no space after commas.
        (&["BEARER  Scope = \"a\" ,ERROR=insufficient_scope"], bearer("", "a", "insufficient_scope", "")),
        // Unquoted URL, missing comma, unterminated quote.
        (
            &["Bearer resource_metadata=https://a.example/m?x=1"],
            bearer("https://a.example/m?x=1", "", "", ""),
        ),
        (&[r#"Bearer error="e" scope="s""#], bearer("", "s", "e", "")),
        (&[r#"Bearer scope="a b"#], bearer("", "a b", "", "")),
        // Single quotes.
        (
            &["Bearer resource_metadata='https://a.example/m', scope='a b', error='invalid_token'"],
            bearer("https://a.example/m", "a b", "invalid_token", ""),
        ),
        (
            &[r#"Bearer error_description='it's "gone", sorry', scope='a'"#],
            bearer("", "a", "", "it's \"gone\", sorry"),
        ),
        (&["Bearer scope='', error='e'"], bearer("", "", "e", "")),
        (&["Bearer scope='a, error=e"], bearer("", "'a", "e", "")),
        // DPoP alone, and with Bearer. The challenge with resource metadata is preferred.
        (
            &[r#"DPoP resource_metadata="https://a.example/m", scope="a""#],
            dpop("https://a.example/m", "a", "", false),
        ),
        (&[r#"dpop algs="PS256 ES256", error="use_dpop_nonce""#], dpop("", "", "use_dpop_nonce", false)),
        (
            &["Bearer", r#"DPoP resource_metadata="https://a.example/m""#],
            dpop("https://a.example/m", "", "", true),
        ),
        // The error of a request with a proof is that of the DPoP challenge.
        (
            &[
                r#"Bearer resource_metadata="https://a.example/m", DPoP error="insufficient_scope", scope="b""#,
            ],
            dpop("https://a.example/m", "b", "insufficient_scope", true),
        ),
        (
            &[r#"DPoP resource_metadata="https://a.example/m", Bearer error="invalid_token""#],
            dpop("https://a.example/m", "", "", true),
        ),
        // Usher's proofs have the algorithm ES256.
        (&[r#"Bearer scope="a", DPoP algs="PS256 ES2560""#], bearer("", "a", "", "")),
        // The Bearer challenge with resource metadata is preferred.
        (
            &["Bearer error=\"x\"", r#"Bearer resource_metadata="https://a.example/m""#],
            bearer("https://a.example/m", "", "", ""),
        ),
        // The first value of a repeated parameter counts. An empty value counts as absent.
        (&[r#"Bearer scope="a", scope="b", error="""#], bearer("", "a", "", "")),
        // Bidirectional and invisible characters are removed.
        (&["Bearer error_description=\"a\u{202e}b\u{200b}c\""], bearer("", "", "", "abc")),
        // Invalid syntax is skipped.
        (&["\"\",,, ==, Bearer scope=a"], bearer("", "a", "", "")),
    ];
    for (headers, expected) in table {
        assert_eq!(&read(headers), expected, "{headers:?}");
    }
}

#[test]
fn insufficient_scope_is_a_step_up() {
    assert!(read(&[r#"Bearer error="insufficient_scope""#]).unwrap().is_insufficient_scope());
    assert!(!read(&[r#"Bearer error="invalid_token""#]).unwrap().is_insufficient_scope());
}

#[test]
fn a_refused_proof_is_told_apart_from_a_refused_token() {
    let refusal = |error: &str| read(&[&format!("DPoP error=\"{error}\"")]).unwrap().proof_refusal();
    assert_eq!(refusal("use_dpop_nonce"), Some(ProofRefusal::NonceRequired));
    assert_eq!(refusal("invalid_dpop_proof"), Some(ProofRefusal::Invalid));
    assert_eq!(refusal("invalid_token"), None);
    assert_eq!(read(&["DPoP"]).unwrap().proof_refusal(), None);
}

/// Building the set takes time for each pair of scopes, so its size is limited.
#[test]
fn a_challenge_with_very_many_scopes_is_cut() {
    let count = |scopes: String| {
        let header = format!("Bearer scope=\"{scopes}\"").parse().unwrap();
        Challenge::from_headers([&header]).unwrap().scope.unwrap().iter().count()
    };
    let numbered = |count: usize| (0..count).map(|number| format!("s{number} ")).collect::<String>();
    assert_eq!(count(numbered(90_000)), 500);
    assert_eq!(count(numbered(150)), 150);
    assert_eq!(count("same ".repeat(90_000)), 1);
    assert_eq!(count(format!("{} ", "x".repeat(1000)).repeat(20)), 1);
    assert_eq!(count((0..20).map(|number| format!("{number}{} ", "x".repeat(1000))).collect()), 16);
}
