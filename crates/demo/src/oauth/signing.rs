//! Self-contained tokens: claims in JWS compact serialization (RFC 7515), signed with HMAC-SHA256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Signs and opens tokens with the demo's key. The signature covers the `typ` header, so one kind of token cannot be
/// used as another.
pub(crate) struct Signer {
    key: [u8; 32],
}

impl Signer {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> String {
        let header = serde_json::json!({ "alg": "HS256", "typ": typ }).to_string();
        let claims = serde_json::to_vec(claims).expect("claims are plain structs of strings and numbers");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(signed.as_bytes()).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// Returns the claims if this key signed them with this type.
    pub(crate) fn open<T: DeserializeOwned>(&self, typ: &str, token: &str) -> Option<T> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(signed.as_bytes()).verify_slice(&signature).ok()?;

        let (header, claims) = signed.split_once('.')?;
        let header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header["typ"] != typ {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// Returns the secret of a confidential client. It is derived from the client id, so it needs no storage.
    pub(crate) fn client_secret(&self, client_id: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.client_secret_mac(client_id).finalize().into_bytes())
    }

    pub(crate) fn is_client_secret(&self, client_id: &str, secret: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(secret)
            .is_ok_and(|secret| self.client_secret_mac(client_id).verify_slice(&secret).is_ok())
    }

    fn client_secret_mac(&self, client_id: &str) -> Hmac<Sha256> {
        // A compact token cannot start with this prefix: it starts with an encoded `{`.
        self.mac(format!("client secret\0{client_id}").as_bytes())
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(message);
        mac
    }
}

/// Returns a new identifier that cannot be guessed.
pub(crate) fn random_id() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
}

/// Returns the SHA-256 hash in base64url, as in the `S256` transformation of RFC 7636.
pub(crate) fn sha256_base64url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_opens_only_its_own_tokens_of_the_same_type() {
        let signer = Signer::new([7; 32]);
        let token = signer.sign("ticket", &["seat 4"]);
        let open = |signer: &Signer, typ, token: &str| signer.open::<[String; 1]>(typ, token);

        assert_eq!(open(&signer, "ticket", &token), Some(["seat 4".to_owned()]));
        assert!(open(&signer, "voucher", &token).is_none(), "another type");
        assert!(open(&Signer::new([8; 32]), "ticket", &token).is_none(), "another key");
        let forged = token.replacen('.', ".e30", 1);
        assert!(open(&signer, "ticket", &forged).is_none(), "other claims");
        for nonsense in ["", ".", "..", "a.b.c", token.trim_end_matches(|c| c != '.')] {
            assert!(open(&signer, "ticket", nonsense).is_none(), "{nonsense:?}");
        }
    }

    #[test]
    fn a_client_secret_is_valid_for_its_client_only() {
        let signer = Signer::new([7; 32]);
        let secret = signer.client_secret("a");
        assert!(signer.is_client_secret("a", &secret));
        assert!(!signer.is_client_secret("b", &secret));
        assert!(!signer.is_client_secret("a", ""));
    }

    #[test]
    fn s256_matches_rfc_7636_appendix_b() {
        assert_eq!(
            sha256_base64url("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
