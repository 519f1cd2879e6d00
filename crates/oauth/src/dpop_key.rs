//! The key to which the tokens of a grant are bound, and the proofs that Usher has it (RFC 9449).

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use crate::client_assertion::random_id;
use crate::{ErrorKind, SigningKey};

/// An ES256 key. It is created for one grant, and stored with it. It has no `Display` and no `Serialize`, and `Debug`
/// redacts it. Cloning is cheap.
#[derive(Clone)]
pub struct DpopKey(Arc<Inner>);

struct Inner {
    key: SigningKey,
    /// The public key as a JSON Web Key.
    jwk: Value,
    stored: SecretString,
}

/// The request that a proof belongs to.
#[derive(Clone, Copy, Debug)]
pub struct ProofRequest<'a> {
    pub method: &'a Method,
    /// The address to which the request is sent. The proof names it without its query and fragment.
    pub url: &'a Url,
    /// The access token that the request carries. A token request has none.
    pub access_token: Option<&'a SecretString>,
}

impl DpopKey {
    /// The algorithm of every proof.
    pub const ALGORITHM: &'static str = "ES256";

    /// Creates a new key.
    pub fn generate() -> Result<Self, ErrorKind> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let pkcs8 = pkcs8.map_err(|_| ErrorKind::SigningFailed)?;
        Self::from_pkcs8(pkcs8.as_ref()).ok_or(ErrorKind::SigningFailed)
    }

    /// Restores a key from [`DpopKey::as_secret`]. Returns `None` for any other text.
    pub fn from_secret(secret: &SecretString) -> Option<Self> {
        let pkcs8 = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(secret.expose_secret()).ok()?);
        Self::from_pkcs8(&pkcs8)
    }

    /// The private key: PKCS #8 in base64url. Only the secret store may contain it.
    pub fn as_secret(&self) -> &SecretString {
        &self.0.stored
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let key = SigningKey::from_pkcs8(der).ok()?;
        let jwk = key.public_jwk().filter(|jwk| jwk["crv"] == "P-256")?;
        Some(DpopKey(Arc::new(Inner { key, jwk, stored: BASE64_URL_SAFE_NO_PAD.encode(der).into() })))
    }

    /// Returns a new proof, for one request only (RFC 9449 §4.2).
    pub(crate) fn proof(
        &self,
        request: ProofRequest<'_>,
        nonce: Option<&str>,
        issued_at: Timestamp,
    ) -> Result<SecretString, ErrorKind> {
        let mut claims = json!({
            "jti": random_id()?,
            "htm": request.method.as_str(),
            "htu": target(request.url),
            "iat": issued_at.as_second(),
        });
        if let Some(token) = request.access_token {
            let hash = digest(&SHA256, token.expose_secret().as_bytes());
            claims["ath"] = BASE64_URL_SAFE_NO_PAD.encode(hash).into();
        }
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let header = Map::from_iter([("jwk".to_owned(), self.0.jwk.clone())]);
        self.0.key.sign("dpop+jwt", header, &claims).ok_or(ErrorKind::SigningFailed)
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns the address without its user name, query and fragment.
fn target(url: &Url) -> String {
    let mut target = url.clone();
    target.set_query(None);
    target.set_fragment(None);
    // These fail only for an address without a host.
    target.set_username("").ok();
    target.set_password(None).ok();
    target.into()
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    const ES384: &str = include_str!("../tests/keys/ec384-sec1.pem");

    fn decode(part: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")
    }

    /// Returns the header and the claims, after verifying the signature with the key in the header.
    fn verified(proof: &SecretString) -> (Value, Value) {
        let (signed, signature) = proof.expose_secret().rsplit_once('.').expect("three parts");
        let (header, claims) = signed.split_once('.').expect("two parts");
        let json = |part: &str| -> Value { serde_json::from_slice(&decode(part)).expect("JSON") };
        let (header, claims) = (json(header), json(claims));
        let coordinate = |name: &str| decode(header["jwk"][name].as_str().expect("a coordinate"));
        let point = [vec![0x04], coordinate("x"), coordinate("y")].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(signed.as_bytes(), &decode(signature)).expect("a valid signature");
        (header, claims)
    }

    #[test]
    fn a_proof_names_the_request_the_token_and_the_nonce() {
        let key = DpopKey::generate().expect("a key");
        let url =
            Url::parse("https://ada:pw@mcp.example:8443/a/mcp?session=1#top").expect("parse the address");
        let now = Timestamp::from_second(1_700_000_000).expect("a time");
        // The token and its hash are the example of RFC 9449 §7.1.
        let token = SecretString::from("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        let request = ProofRequest { method: &Method::POST, url: &url, access_token: Some(&token) };
        let (header, mut claims) = verified(&key.proof(request, Some("n-1"), now).expect("a proof"));
        assert_eq!((&header["typ"], &header["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
        let names: Vec<_> = header["jwk"].as_object().expect("a key").keys().cloned().collect();
        assert_eq!(names, ["kty", "crv", "x", "y"], "only the public key");
        let first = claims["jti"].take();
        assert_eq!(
            claims,
            json!({
                "jti": null,
                "htm": "POST",
                "htu": "https://mcp.example:8443/a/mcp",
                "iat": 1_700_000_000,
                "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
                "nonce": "n-1",
            })
        );
        let request = ProofRequest { method: &Method::GET, access_token: None, ..request };
        let (_, claims) = verified(&key.proof(request, None, now).expect("a proof"));
        assert_eq!((claims.get("ath"), claims.get("nonce"), &claims["htm"]), (None, None, &json!("GET")));
        assert_ne!(claims["jti"], first);
        assert_eq!(decode(claims["jti"].as_str().expect("an id")).len(), 16);
    }

    #[test]
    fn a_key_survives_its_stored_form_and_is_never_printed() {
        let key = DpopKey::generate().expect("a key");
        let restored = DpopKey::from_secret(key.as_secret()).expect("the same key");
        assert_eq!(restored.0.jwk, key.0.jwk);
        assert_eq!(restored.as_secret().expose_secret(), key.as_secret().expose_secret());
        assert_ne!(DpopKey::generate().expect("another key").0.jwk, key.0.jwk);
        assert_eq!(format!("{key:?}"), "[redacted]");
        let public = key.0.jwk["x"].as_str().expect("a coordinate");
        for unusable in ["", "????", "AAAA", public, ES384] {
            assert!(DpopKey::from_secret(&unusable.into()).is_none(), "{unusable}");
        }
    }
}
