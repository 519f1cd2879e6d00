//! Tokens that are bound to a key (RFC 9449).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Response, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use usher_demo::{Demo, DemoOptions, Dpop};

use crate::browser::{Browser, REDIRECT, VERIFIER, call, start, text};

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key of a client.
struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Key(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    fn sign(&self, claims: &Value) -> String {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature))
    }
}

fn claims(url: &str, token: Option<&str>, nonce: Option<&str>) -> Value {
    let mut claims = json!({
        "jti": encode(rand::random::<[u8; 16]>()),
        "htm": "POST",
        "htu": url,
        "iat": jiff::Timestamp::now().as_second(),
    });
    if let Some(token) = token {
        claims["ath"] = encode(Sha256::digest(token)).into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    claims
}

/// A client with a key.
struct Client {
    demo: Demo,
    browser: Browser,
    key: Key,
}

impl Client {
    async fn start(dpop: Dpop) -> Self {
        let (demo, browser) = start(DemoOptions { dpop, ..Default::default() }).await;
        Client { demo, browser, key: Key::new() }
    }

    fn token_url(&self) -> String {
        format!("{}/token", self.demo.issuer())
    }

    async fn token(&self, form: &[(&str, &str)], proof: Option<&str>) -> Response {
        let request = self.browser.http.post(self.token_url()).form(form);
        let request = match proof {
            Some(proof) => request.header("dpop", proof),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// Exchanges a new code. Returns the status, the nonce and the body of the response.
    async fn exchange(&self, proof: Option<&str>) -> (StatusCode, Option<String>, Value) {
        let client_id = self.browser.register().await;
        let code = self.browser.code(&self.browser.request(&client_id)).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &client_id),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
            ("resource", &self.browser.resource),
        ];
        let response = self.token(&form, proof).await;
        let status = response.status();
        let nonce = response.headers().get("dpop-nonce").map(|value| value.to_str().unwrap().to_owned());
        let mut body: Value = response.json().await.unwrap();
        body["client_id"] = client_id.into();
        (status, nonce, body)
    }

    async fn list(&self, scheme: &str, token: &str, claims: Option<Value>) -> (StatusCode, String) {
        let request = self.browser.http.post(self.demo.url().as_str());
        let request = request.header("authorization", format!("{scheme} {token}"));
        let request = request
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/list");
        let request = match claims {
            Some(claims) => request.header("dpop", self.key.sign(&claims)),
            None => request,
        };
        let response = request.json(&call("tools/list", json!({}))).send().await.unwrap();
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
        (response.status(), challenge)
    }
}

#[tokio::test]
async fn a_token_request_needs_a_valid_proof() {
    let client = Client::start(Dpop::Required).await;
    let url = client.token_url();
    let other = |changes: Value| {
        let mut claims = claims(&url, None, None);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        Some(client.key.sign(&claims))
    };
    let mut forged = other(json!({})).unwrap();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let now = jiff::Timestamp::now().as_second();
    for proof in [
        None,
        Some("nonsense".to_owned()),
        Some(forged),
        other(json!({ "htm": "GET" })),
        other(json!({ "htu": client.demo.url().as_str() })),
        other(json!({ "ath": "AAAA" })),
        other(json!({ "iat": now - 400 })),
        other(json!({ "iat": now + 400 })),
    ] {
        let (status, _, body) = client.exchange(proof.as_deref()).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_dpop_proof")),
            "{proof:?}"
        );
    }
    let proof = client.key.sign(&claims(&url, None, None));
    let (status, nonce, body) = client.exchange(Some(&proof)).await;
    assert_eq!((status, &body["token_type"], nonce), (StatusCode::OK, &json!("DPoP"), None));
    let (_, _, body) = client.exchange(Some(&proof)).await;
    assert_eq!(body["error_description"], "the proof was used before");
}

#[tokio::test]
async fn a_bound_token_needs_a_proof_of_its_key_for_each_request() {
    let client = Client::start(Dpop::Required).await;
    let (_, _, body) =
        client.exchange(Some(&client.key.sign(&claims(&client.token_url(), None, None)))).await;
    let token = text(&body, "access_token");
    let url = client.demo.url().to_string();
    let proof = |token: &str| Some(claims(&url, Some(token), None));
    assert_eq!(client.list("DPoP", &token, proof(&token)).await.0, StatusCode::OK);
    for (scheme, claims, error) in [
        ("Bearer", proof(&token), "invalid_token"),
        ("DPoP", None, "invalid_dpop_proof"),
        ("DPoP", proof("another token"), "invalid_dpop_proof"),
        ("DPoP", Some(self::claims(&url, None, None)), "invalid_dpop_proof"),
    ] {
        let (status, challenge) = client.list(scheme, &token, claims).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{challenge}");
        assert!(challenge.starts_with(&format!("DPoP error=\"{error}\"")), "{challenge}");
    }
    let thief = Client { key: Key::new(), ..client };
    let (status, challenge) = thief.list("DPoP", &token, proof(&token)).await;
    assert!(status == StatusCode::UNAUTHORIZED && challenge.contains("another key"), "{challenge}");
    let refresh = text(&body, "refresh_token");
    let client_id = text(&body, "client_id");
    let form = [("grant_type", "refresh_token"), ("client_id", &client_id), ("refresh_token", &refresh)];
    let stolen = thief.key.sign(&claims(&thief.token_url(), None, None));
    let response = thief.token(&form, Some(&stolen)).await;
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "invalid_grant");
}

#[tokio::test]
async fn each_server_requires_its_own_current_nonce() {
    let client = Client::start(Dpop::RequiredWithNonces).await;
    let proof = |nonce: Option<&str>| client.key.sign(&claims(&client.token_url(), None, nonce));
    let (status, nonce, body) = client.exchange(Some(&proof(None))).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("use_dpop_nonce")));
    let nonce = nonce.expect("a nonce");
    let (status, next, body) = client.exchange(Some(&proof(Some(&nonce)))).await;
    assert!(status == StatusCode::OK && next.is_some());
    let token = text(&body, "access_token");
    let url = client.demo.url().as_str();
    // The nonce of the authorization server does not work at the MCP server.
    for unknown in [None, Some(nonce.as_str()), Some("guess")] {
        let (_, challenge) = client.list("DPoP", &token, Some(claims(url, Some(&token), unknown))).await;
        assert!(challenge.starts_with("DPoP error=\"use_dpop_nonce\""), "{challenge}");
    }
    client.demo.advance_clock(Duration::from_secs(60));
    let (status, ..) = client.exchange(Some(&proof(Some(&nonce)))).await;
    assert_eq!(status, StatusCode::OK, "the nonce is still valid");
}
