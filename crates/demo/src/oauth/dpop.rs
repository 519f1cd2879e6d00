//! Tokens that are bound to a key of the client (RFC 9449): the check of proofs, and the nonces.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::error::OAuthError;
use super::signing::sha256_base64url;
use crate::clock::saturating_add;
use crate::options::Dpop;
use crate::service::Service;

pub(crate) const ALGORITHM: &str = "ES256";
const PROOF_HEADER: HeaderName = HeaderName::from_static("dpop");
const NONCE_HEADER: HeaderName = HeaderName::from_static("dpop-nonce");

/// The lifetime of a nonce, and the time by which the clock of a client may differ.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The part of the demo that checks a proof. Each has its own nonces.
#[derive(Clone, Copy)]
pub(crate) enum Checker {
    AuthorizationServer,
    ResourceServer,
}

impl Checker {
    fn nonce_type(self) -> &'static str {
        match self {
            Self::AuthorizationServer => "usher-demo-nonce-of-authorization-server",
            Self::ResourceServer => "usher-demo-nonce-of-resource-server",
        }
    }
}

/// The request that a proof must belong to.
pub(crate) struct ProvenRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// The access token of the request.
    pub(crate) token: Option<&'a str>,
}

/// The error code of a refused proof, with its description.
pub(crate) type Refusal = (&'static str, &'static str);

#[derive(Serialize, Deserialize)]
struct Nonce {
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// The private key, which a proof must not contain.
    d: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    ath: Option<String>,
    nonce: Option<String>,
}

/// Returns the thumbprint of the key that a token request proves, or `None` if the demo issues bearer tokens.
pub(crate) fn key_of_token_request(
    service: &Service,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<String>, OAuthError> {
    match service.options.dpop {
        Dpop::Off => Ok(None),
        Dpop::Required | Dpop::RequiredWithNonces => {
            let url = format!("{}/token", service.issuer);
            let request = ProvenRequest { method: &Method::POST, url: &url, headers, token: None };
            let proven = check(service, Checker::AuthorizationServer, &request, now);
            proven.map(Some).map_err(|(code, description)| OAuthError::new(code, description))
        }
    }
}

/// Checks the proof of a request (RFC 9449 §4.3) and returns the thumbprint of its key (RFC 7638).
pub(crate) fn check(
    service: &Service,
    checker: Checker,
    request: &ProvenRequest<'_>,
    now: Timestamp,
) -> Result<String, Refusal> {
    let invalid = |why| ("invalid_dpop_proof", why);
    let mut proofs = request.headers.get_all(PROOF_HEADER).iter();
    let (Some(proof), None) = (proofs.next(), proofs.next()) else {
        return Err(invalid("the request must have one proof"));
    };
    let (header, claims) = proof.to_str().ok().and_then(verified).ok_or(invalid("the proof is invalid"))?;
    let is_fitting = claims.htm == request.method.as_str() && claims.htu == request.url;
    if !is_fitting || claims.ath.as_deref() != request.token.map(sha256_base64url).as_deref() {
        return Err(invalid("the proof belongs to another request"));
    }
    let age = now.as_second().abs_diff(claims.iat);
    if age > TOLERANCE.as_secs() {
        return Err(invalid("the proof is too old, or its time has not come"));
    }
    if service.options.dpop == Dpop::RequiredWithNonces {
        let nonce = claims.nonce.and_then(|nonce| service.signer.open::<Nonce>(checker.nonce_type(), &nonce));
        if nonce.is_none_or(|nonce| nonce.expires_at <= now) {
            return Err(("use_dpop_nonce", "the proof must contain the current nonce"));
        }
    }
    if !service.used_proofs.note(claims.jti) {
        return Err(invalid("the proof was used before"));
    }
    Ok(thumbprint(&header.jwk))
}

/// Adds a new nonce to a response, if the demo requires nonces.
pub(crate) fn add_nonce(service: &Service, checker: Checker, headers: &mut HeaderMap, now: Timestamp) {
    match service.options.dpop {
        Dpop::Off | Dpop::Required => {}
        Dpop::RequiredWithNonces => {
            let nonce = Nonce { expires_at: saturating_add(now, TOLERANCE) };
            let nonce = service.signer.sign(checker.nonce_type(), &nonce);
            headers.insert(NONCE_HEADER, HeaderValue::from_str(&nonce).expect("base64url and dots"));
        }
    }
}

/// Returns the content of a proof whose signature is valid.
fn verified(proof: &str) -> Option<(Header, Claims)> {
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let (signed, signature) = proof.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
    let Jwk { kty, crv, x, y, d } = &header.jwk;
    let is_supported = header.typ == "dpop+jwt" && header.alg == ALGORITHM && kty == "EC" && crv == "P-256";
    if !is_supported || d.is_some() {
        return None;
    }
    // An uncompressed point (SEC 1 §2.3.3).
    let point = [vec![0x04], decode(x)?, decode(y)?].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &decode(signature)?).ok()?;
    Some((header, serde_json::from_slice(&decode(claims)?).ok()?))
}

fn thumbprint(Jwk { x, y, .. }: &Jwk) -> String {
    sha256_base64url(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))
}
