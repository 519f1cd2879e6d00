//! The assertion with which a client proves that it has its private key (RFC 7523 §2.2 and §3).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use serde_json::{Map, json};

use crate::{ErrorKind, SigningKey};

/// The value of `client_assertion_type` (RFC 7523 §2.2).
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The lifetime of an assertion, long enough for one request.
const LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// Returns a new assertion. It is used for one request only. `audience` is one string, because some servers accept no
/// list.
pub(crate) fn client_assertion(
    key: &SigningKey,
    client_id: &str,
    audience: &str,
    now: Timestamp,
) -> Result<SecretString, ErrorKind> {
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": now.as_second(),
        "exp": (now + LIFETIME).as_second(),
        "jti": random_id()?,
    });
    key.sign("JWT", Map::new(), &claims).ok_or(ErrorKind::SigningFailed)
}

/// Returns 128 random bits as text.
pub(crate) fn random_id() -> Result<String, ErrorKind> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| ErrorKind::SigningFailed)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
