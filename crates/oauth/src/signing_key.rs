//! A private key that signs the assertions of a client or proofs, and JSON Web Signatures with it (RFC 7515).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

/// An algorithm of JSON Web Signatures (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    Es256,
    Es384,
    Rs256,
    Ps256,
    EdDsa,
}

impl SigningAlgorithm {
    pub const ALL: [Self; 5] = [Self::Es256, Self::Es384, Self::Rs256, Self::Ps256, Self::EdDsa];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or(KeyError::UnknownAlgorithm)
    }
}

/// The reason why a key cannot be used. No text contains a part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the private key is neither PEM nor a JSON Web Key")]
    UnknownForm,
    #[error("the private key is encrypted with a passphrase")]
    Encrypted,
    #[error("this is a public key or a certificate, not a private key")]
    Public,
    #[error("the private key is damaged, or of an unsupported kind")]
    Invalid,
    #[error("the RSA key has fewer than 2048 bits, or more than 4096")]
    RsaSize,
    #[error("the private key does not fit the signing algorithm")]
    WrongAlgorithm,
    #[error("the signing algorithm must be ES256, ES384, RS256, PS256 or EdDSA")]
    UnknownAlgorithm,
}

/// A private key with its algorithm. It has no `Display` and no `Serialize`, and `Debug` redacts it.
pub struct SigningKey {
    key: Key,
    algorithm: SigningAlgorithm,
    /// The `kid` of each signature, for an authorization server that knows several keys.
    key_id: Option<String>,
}

enum Key {
    Ec(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Parses PEM (PKCS #8, SEC 1 or PKCS #1) or a JSON Web Key. Without an algorithm, the kind of the key decides:
    /// ES256, ES384, RS256 or EdDSA.
    pub fn parse(
        text: &SecretString,
        algorithm: Option<SigningAlgorithm>,
        key_id: Option<String>,
    ) -> Result<Self, KeyError> {
        let text = text.expose_secret().trim();
        let (key, natural) = if text.starts_with('{') { from_jwk(text)? } else { from_pem(text)? };
        let algorithm = algorithm.unwrap_or(natural);
        let fits = match algorithm {
            SigningAlgorithm::Ps256 => natural == SigningAlgorithm::Rs256,
            SigningAlgorithm::Es256
            | SigningAlgorithm::Es384
            | SigningAlgorithm::Rs256
            | SigningAlgorithm::EdDsa => natural == algorithm,
        };
        if fits { Ok(SigningKey { key, algorithm, key_id }) } else { Err(KeyError::WrongAlgorithm) }
    }

    /// Parses an unencrypted PKCS #8 key. Its kind decides the algorithm.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        from_pkcs8(der).map(|(key, algorithm)| SigningKey { key, algorithm, key_id: None })
    }

    /// Returns the public key of an elliptic curve as a JSON Web Key, or `None` for another kind of key.
    pub(crate) fn public_jwk(&self) -> Option<Value> {
        let Key::Ec(key) = &self.key else { return None };
        let (curve, ..) = CURVES.iter().find(|(_, algorithm, _)| *algorithm == self.algorithm)?;
        // The form of the point precedes its two coordinates (SEC 1 §2.3.3).
        let point = key.public_key().as_ref().get(1..)?;
        let (x, y) = point.split_at(point.len() / 2);
        let encode = |coordinate: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(coordinate);
        Some(json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) }))
    }

    /// Returns the JWS in compact serialization. `header` is added to `alg`, `typ` and `kid`.
    pub(crate) fn sign(&self, typ: &str, header: Map<String, Value>, claims: &Value) -> Option<SecretString> {
        let mut all = Map::new();
        all.insert("alg".to_owned(), self.algorithm.as_str().into());
        all.insert("typ".to_owned(), typ.into());
        if let Some(key_id) = &self.key_id {
            all.insert("kid".to_owned(), json!(key_id));
        }
        all.extend(header);
        let encode = |value: String| BASE64_URL_SAFE_NO_PAD.encode(value);
        let signed = format!("{}.{}", encode(Value::Object(all).to_string()), encode(claims.to_string()));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes())?);
        Some(format!("{signed}.{signature}").into())
    }

    /// Returns the signature as the algorithm's raw bytes, not in DER.
    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Ec(key) => key.sign(&random, message).ok().map(|signature| signature.as_ref().to_vec()),
            Key::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let padding: &dyn ring::signature::RsaEncoding = match self.algorithm {
                    SigningAlgorithm::Ps256 => &RSA_PSS_SHA256,
                    SigningAlgorithm::Rs256
                    | SigningAlgorithm::Es256
                    | SigningAlgorithm::Es384
                    | SigningAlgorithm::EdDsa => &RSA_PKCS1_SHA256,
                };
                key.sign(padding, &random, message, &mut signature).ok().map(|()| signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The curves, each with its algorithms.
const CURVES: [(&str, SigningAlgorithm, &EcdsaSigningAlgorithm); 2] = [
    ("P-256", SigningAlgorithm::Es256, &ECDSA_P256_SHA256_FIXED_SIGNING),
    ("P-384", SigningAlgorithm::Es384, &ECDSA_P384_SHA384_FIXED_SIGNING),
];

fn from_pem(text: &str) -> Result<(Key, SigningAlgorithm), KeyError> {
    let (label, der) = pem(text)?;
    match label {
        "PRIVATE KEY" => from_pkcs8(&der),
        "EC PRIVATE KEY" => {
            let wrapped = [P256_ALGORITHM, P384_ALGORITHM].into_iter();
            let keys = wrapped.filter_map(|algorithm| from_pkcs8(&pkcs8_of_sec1(algorithm, &der)).ok());
            keys.into_iter().next().ok_or(KeyError::Invalid)
        }
        "RSA PRIVATE KEY" => rsa(RsaKeyPair::from_der(&der)),
        "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
        _ if label.contains("PUBLIC KEY") || label.contains("CERTIFICATE") => Err(KeyError::Public),
        _ => Err(KeyError::Invalid),
    }
}

/// Returns the label and the content of the first PEM block (RFC 7468) that is no list of curve parameters.
fn pem(text: &str) -> Result<(&str, Vec<u8>), KeyError> {
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ").ok_or(KeyError::UnknownForm)?;
        let (label, after) = after.split_once("-----").ok_or(KeyError::UnknownForm)?;
        let (content, after) = after.split_once("-----END ").ok_or(KeyError::Invalid)?;
        if label == "EC PARAMETERS" {
            rest = after;
            continue;
        }
        // The older form of encryption has a header.
        if content.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let base64: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        return Ok((label, BASE64_STANDARD.decode(base64).map_err(|_| KeyError::Invalid)?));
    }
}

fn from_pkcs8(der: &[u8]) -> Result<(Key, SigningAlgorithm), KeyError> {
    let random = SystemRandom::new();
    for (_, algorithm, curve) in CURVES {
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(curve, der, &random) {
            return Ok((Key::Ec(key), algorithm));
        }
    }
    if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
        return Ok((Key::Ed25519(key), SigningAlgorithm::EdDsa));
    }
    rsa(RsaKeyPair::from_pkcs8(der))
}

fn rsa(key: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<(Key, SigningAlgorithm), KeyError> {
    match key {
        Ok(key) => Ok((Key::Rsa(Box::new(key)), SigningAlgorithm::Rs256)),
        Err(rejected) if ["TooSmall", "TooLarge"].contains(&rejected.to_string().as_str()) => {
            Err(KeyError::RsaSize)
        }
        Err(_) => Err(KeyError::Invalid),
    }
}

/// The `AlgorithmIdentifier` of a P-256 key: `ecPublicKey` with `prime256v1`.
const P256_ALGORITHM: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE,
    0x3D, 0x03, 0x01, 0x07,
];
/// The `AlgorithmIdentifier` of a P-384 key: `ecPublicKey` with `secp384r1`.
const P384_ALGORITHM: &[u8] = &[
    0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00,
    0x22,
];

/// Wraps a SEC 1 key in PKCS #8 (RFC 5208 §5), because `ring` reads only that.
fn pkcs8_of_sec1(algorithm: &[u8], sec1: &[u8]) -> Vec<u8> {
    let version = [0x02, 0x01, 0x00];
    let content = [&version, algorithm, &der_value(0x04, sec1)].concat();
    der_value(0x30, &content)
}

fn der_value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let mut value = vec![tag];
    match content.len() {
        short @ 0..=0x7F => value.extend(short.to_be_bytes().last()),
        _ => {
            let digits: Vec<u8> = length.into_iter().skip_while(|digit| *digit == 0).collect();
            value.extend([0x80 | u8::try_from(digits.len()).unwrap_or_default()]);
            value.extend(digits);
        }
    }
    value.extend_from_slice(content);
    value
}

fn from_jwk(text: &str) -> Result<(Key, SigningAlgorithm), KeyError> {
    let jwk: Map<String, Value> = serde_json::from_str(text).map_err(|_| KeyError::UnknownForm)?;
    let string = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    let bytes = |name: &str| match jwk.get(name).and_then(Value::as_str) {
        Some(text) => BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Invalid),
        None if name == "d" => Err(KeyError::Public),
        None => Err(KeyError::Invalid),
    };
    match string("kty") {
        "EC" => {
            let found = CURVES.into_iter().find(|(name, ..)| *name == string("crv"));
            let (_, algorithm, curve) = found.ok_or(KeyError::Invalid)?;
            let (private, public) = (bytes("d")?, [vec![0x04], bytes("x")?, bytes("y")?].concat());
            let random = SystemRandom::new();
            let key = EcdsaKeyPair::from_private_key_and_public_key(curve, &private, &public, &random);
            Ok((Key::Ec(key.map_err(|_| KeyError::Invalid)?), algorithm))
        }
        "OKP" if string("crv") == "Ed25519" => {
            let key = Ed25519KeyPair::from_seed_and_public_key(&bytes("d")?, &bytes("x")?);
            Ok((Key::Ed25519(key.map_err(|_| KeyError::Invalid)?), SigningAlgorithm::EdDsa))
        }
        "RSA" => {
            let public_key = PublicKeyComponents { n: bytes("n")?, e: bytes("e")? };
            let (d, p, q) = (bytes("d")?, bytes("p")?, bytes("q")?);
            rsa(RsaKeyPair::from_components(&KeyPairComponents {
                public_key,
                d,
                p,
                q,
                dP: bytes("dp")?,
                dQ: bytes("dq")?,
                qInv: bytes("qi")?,
            }))
        }
        "oct" => Err(KeyError::Invalid),
        _ => Err(KeyError::UnknownForm),
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
    };

    use super::*;

    const EC256: &str = include_str!("../tests/keys/ec256.pem");
    const EC256_SEC1: &str = include_str!("../tests/keys/ec256-sec1.pem");
    const EC256_JWK: &str = include_str!("../tests/keys/ec256.jwk.json");
    const EC384_SEC1: &str = include_str!("../tests/keys/ec384-sec1.pem");
    const RSA: &str = include_str!("../tests/keys/rsa2048.pem");
    const RSA_PKCS1: &str = include_str!("../tests/keys/rsa2048-pkcs1.pem");
    const RSA_JWK: &str = include_str!("../tests/keys/rsa2048.jwk.json");
    const ED25519_PEM: &str = include_str!("../tests/keys/ed25519.pem");
    const ED25519_JWK: &str = include_str!("../tests/keys/ed25519.jwk.json");

    fn parse(text: &str, algorithm: Option<SigningAlgorithm>) -> Result<SigningKey, KeyError> {
        SigningKey::parse(&text.into(), algorithm, Some("key-1".to_owned()))
    }

    fn public_key(key: &SigningKey) -> Vec<u8> {
        match &key.key {
            Key::Ec(key) => key.public_key().as_ref().to_vec(),
            Key::Rsa(key) => key.public_key().as_ref().to_vec(),
            Key::Ed25519(key) => key.public_key().as_ref().to_vec(),
        }
    }

    #[test]
    fn each_kind_of_key_signs_and_its_public_key_verifies() {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Ps256, Rs256};
        let table: [(&str, Option<SigningAlgorithm>, SigningAlgorithm, &dyn VerificationAlgorithm); 11] = [
            (EC256, None, Es256, &ECDSA_P256_SHA256_FIXED),
            (EC256_SEC1, Some(Es256), Es256, &ECDSA_P256_SHA256_FIXED),
            (EC256_JWK, None, Es256, &ECDSA_P256_SHA256_FIXED),
            (EC384_SEC1, None, Es384, &ECDSA_P384_SHA384_FIXED),
            (RSA, None, Rs256, &RSA_PKCS1_2048_8192_SHA256),
            (RSA_PKCS1, Some(Rs256), Rs256, &RSA_PKCS1_2048_8192_SHA256),
            (RSA_JWK, None, Rs256, &RSA_PKCS1_2048_8192_SHA256),
            (RSA, Some(Ps256), Ps256, &RSA_PSS_2048_8192_SHA256),
            (RSA_JWK, Some(Ps256), Ps256, &RSA_PSS_2048_8192_SHA256),
            (ED25519_PEM, None, EdDsa, &ED25519),
            (ED25519_JWK, Some(EdDsa), EdDsa, &ED25519),
        ];
        for (text, chosen, expected, verification) in table {
            let key = parse(text, chosen).expect("a usable key");
            let jws = key.sign("JWT", Map::new(), &json!({ "iss": "app" })).expect("a signature");
            let (signed, signature) = jws.expose_secret().rsplit_once('.').expect("three parts");
            let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url");
            let public = UnparsedPublicKey::new(verification, public_key(&key));
            public.verify(signed.as_bytes(), &decode(signature)).expect("a valid signature");
            let (header, claims) = signed.split_once('.').expect("two parts");
            let header: Value = serde_json::from_slice(&decode(header)).expect("a header");
            assert_eq!(header, json!({ "alg": expected.as_str(), "typ": "JWT", "kid": "key-1" }));
            assert_eq!(decode(claims), br#"{"iss":"app"}"#);
            assert_eq!(format!("{key:?}").matches(text).count(), 0);
        }
        assert_eq!(
            public_key(&parse(EC256, None).expect("a key")),
            public_key(&parse(EC256_SEC1, None).expect("a key"))
        );
    }

    #[test]
    fn unusable_keys_are_told_apart() {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Rs256};
        let truncated = &EC256[..EC256.len() / 2];
        for (text, algorithm, expected) in [
            (include_str!("../tests/keys/encrypted.pem"), None, KeyError::Encrypted),
            (include_str!("../tests/keys/encrypted-pkcs1.pem"), None, KeyError::Encrypted),
            (include_str!("../tests/keys/public.pem"), None, KeyError::Public),
            (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, None, KeyError::Public),
            (include_str!("../tests/keys/rsa1024.pem"), None, KeyError::RsaSize),
            (EC256, Some(Rs256), KeyError::WrongAlgorithm),
            (EC256, Some(Es384), KeyError::WrongAlgorithm),
            (RSA, Some(Es256), KeyError::WrongAlgorithm),
            (RSA, Some(EdDsa), KeyError::WrongAlgorithm),
            (truncated, None, KeyError::Invalid),
            ("-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----", None, KeyError::Invalid),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", None, KeyError::Invalid),
            (r#"{"kty":"oct","k":"AA"}"#, None, KeyError::Invalid),
            (r#"{"kty":"RSA","d":"AA"}"#, None, KeyError::Invalid),
            ("{}", None, KeyError::UnknownForm),
            ("hunter2", None, KeyError::UnknownForm),
            ("", None, KeyError::UnknownForm),
        ] {
            assert_eq!(parse(text, algorithm).err(), Some(expected), "{text}");
        }
        assert_eq!("HS256".parse::<SigningAlgorithm>(), Err(KeyError::UnknownAlgorithm));
    }
}
