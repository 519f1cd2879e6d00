//! The nonces and clocks of the two servers that check proofs (RFC 9449 §8, §9 and §11.1).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use url::Origin;
use usher_budgets as budgets;

use crate::{DpopKey, ErrorKind, ProofRequest};

/// The header of a proof.
pub const PROOF_HEADER: HeaderName = HeaderName::from_static("dpop");
const NONCE_HEADER: HeaderName = HeaderName::from_static("dpop-nonce");

/// A difference between two clocks that may be the reason for a refused proof.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The server that checks a proof. Each has its own nonces, even if both have the same origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofRecipient {
    AuthorizationServer,
    ResourceServer,
}

/// The reason why a server refused a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofRefusal {
    /// The proof must contain the nonce of the response.
    NonceRequired,
    /// The proof is invalid. The clock of this computer may be wrong.
    Invalid,
}

impl ProofRefusal {
    /// Parses the error code of a response.
    pub(crate) fn parse(error: &str) -> Option<Self> {
        match error {
            "use_dpop_nonce" => Some(ProofRefusal::NonceRequired),
            "invalid_dpop_proof" => Some(ProofRefusal::Invalid),
            _ => None,
        }
    }
}

/// The nonces and the clock offsets of an authorization server and of a resource server, from their responses. Clones
/// share them. They are not stored: after a restart, the first response contains them again.
#[derive(Clone, Debug, Default)]
pub struct DpopSession(Arc<Mutex<Servers>>);

#[derive(Debug, Default)]
struct Servers {
    authorization_server: Server,
    resource_server: Server,
}

#[derive(Debug, Default)]
struct Server {
    /// The origin that set the nonce. Another origin does not get it.
    origin: Option<Origin>,
    nonce: Option<String>,
    /// The time by which the server's clock is ahead of this computer's.
    ahead: SignedDuration,
}

impl Servers {
    fn server(&mut self, recipient: ProofRecipient, origin: &Origin) -> &mut Server {
        let server = match recipient {
            ProofRecipient::AuthorizationServer => &mut self.authorization_server,
            ProofRecipient::ResourceServer => &mut self.resource_server,
        };
        if server.origin.as_ref() != Some(origin) {
            *server = Server { origin: Some(origin.clone()), ..Server::default() };
        }
        server
    }
}

/// A proof that was created for one request.
#[derive(Clone, Debug)]
pub struct Proof {
    value: HeaderValue,
    recipient: ProofRecipient,
    origin: Origin,
    nonce: Option<String>,
    /// This computer's time.
    created_at: Timestamp,
    /// The time in the proof.
    issued_at: Timestamp,
}

impl Proof {
    /// The value of [`PROOF_HEADER`]. `Debug` redacts it.
    pub fn value(&self) -> &HeaderValue {
        &self.value
    }
}

impl DpopSession {
    /// Creates a proof with the last nonce of the server. `now` is this computer's time.
    pub fn prove(
        &self,
        recipient: ProofRecipient,
        key: &DpopKey,
        request: ProofRequest<'_>,
        now: Timestamp,
    ) -> Result<Proof, ErrorKind> {
        let origin = request.url.origin();
        let (nonce, ahead) = {
            let mut servers = self.lock();
            let server = servers.server(recipient, &origin);
            (server.nonce.clone(), server.ahead)
        };
        let issued_at = now.checked_add(ahead).unwrap_or(now);
        let proof = key.proof(request, nonce.as_deref(), issued_at)?;
        let mut value = HeaderValue::from_str(proof.expose_secret()).map_err(|_| ErrorKind::SigningFailed)?;
        value.set_sensitive(true);
        Ok(Proof { value, recipient, origin, nonce, created_at: now, issued_at })
    }

    /// Keeps the nonce of the response to this proof, whatever its status. Nonces that are too long are ignored.
    pub fn note(&self, proof: &Proof, headers: &HeaderMap) {
        let nonce = headers.get(NONCE_HEADER).and_then(|value| value.to_str().ok());
        if let Some(nonce) = nonce.filter(|nonce| is_usable(nonce)) {
            self.lock().server(proof.recipient, &proof.origin).nonce = Some(nonce.to_owned());
        }
    }

    /// Whether a new proof would contain another nonce.
    fn has_other_nonce(&self, proof: &Proof) -> bool {
        let mut servers = self.lock();
        let nonce = &servers.server(proof.recipient, &proof.origin).nonce;
        nonce.is_some() && *nonce != proof.nonce
    }

    /// Adopts the server's clock if it differs from that of the proof. Returns whether it did.
    fn adopt_clock(&self, proof: &Proof, headers: &HeaderMap) -> bool {
        let date = headers.get(header::DATE).and_then(|value| value.to_str().ok());
        let Some(date) = date.and_then(|date| DateTimeParser::new().parse_timestamp(date.trim()).ok()) else {
            return false;
        };
        if date.duration_since(proof.issued_at).abs() <= CLOCK_SKEW {
            return false;
        }
        // Measured from this computer's time, so that refusals of several requests at a time do not add up.
        let mut servers = self.lock();
        servers.server(proof.recipient, &proof.origin).ahead = date.duration_since(proof.created_at);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Servers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The repetitions of one request after refused proofs: at most one for each reason.
#[derive(Debug, Default)]
pub struct ProofRetries {
    nonce: bool,
    clock: bool,
}

impl ProofRetries {
    /// Whether to send the request again with a new proof. Call [`DpopSession::note`] before.
    pub fn permit(
        &mut self,
        session: &DpopSession,
        proof: &Proof,
        refusal: ProofRefusal,
        headers: &HeaderMap,
    ) -> bool {
        match refusal {
            ProofRefusal::NonceRequired => {
                !std::mem::replace(&mut self.nonce, true) && session.has_other_nonce(proof)
            }
            ProofRefusal::Invalid => {
                !std::mem::replace(&mut self.clock, true) && session.adopt_clock(proof, headers)
            }
        }
    }
}

/// Whether the text is a nonce (RFC 9449 §8.1) that is short enough to be repeated in each request.
fn is_usable(nonce: &str) -> bool {
    let is_allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    !nonce.is_empty() && nonce.len() <= budgets::NONCE_BYTES && nonce.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use http::Method;
    use serde_json::Value;
    use url::Url;

    use super::ProofRecipient::{AuthorizationServer, ResourceServer};
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    struct Exchange {
        session: DpopSession,
        key: DpopKey,
    }

    impl Exchange {
        fn new() -> Self {
            Exchange { session: DpopSession::default(), key: DpopKey::generate().expect("a key") }
        }

        fn prove(&self, recipient: ProofRecipient, url: &str) -> Proof {
            let url = Url::parse(url).expect("parse the address");
            let request = ProofRequest { method: &Method::POST, url: &url, access_token: None };
            self.session.prove(recipient, &self.key, request, NOW).expect("a proof")
        }

        fn answer(&self, proof: &Proof, nonce: &str) {
            self.session.note(proof, &headers(&[("dpop-nonce", nonce)]));
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
        });
        pairs.collect()
    }

    fn claims(proof: &Proof) -> Value {
        let text = proof.value().to_str().expect("text");
        let claims = text.split('.').nth(1).expect("three parts");
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON")
    }

    #[test]
    fn each_server_gets_only_its_own_last_nonce() {
        let exchange = Exchange::new();
        let nonce = |recipient, url: &str| claims(&exchange.prove(recipient, url)).get("nonce").cloned();
        let both = "https://both.example/x";
        exchange.answer(&exchange.prove(AuthorizationServer, both), "as-1");
        exchange.answer(&exchange.prove(ResourceServer, both), "rs-1");
        exchange.answer(&exchange.prove(ResourceServer, both), "rs-2");
        assert_eq!(nonce(AuthorizationServer, both), Some("as-1".into()));
        assert_eq!(nonce(ResourceServer, "https://both.example/other"), Some("rs-2".into()));
        // A response without a nonce, or with an unusable one, changes nothing.
        let proof = exchange.prove(ResourceServer, both);
        exchange.session.note(&proof, &HeaderMap::new());
        for unusable in ["", "with space", "\"quoted\"", "back\\slash", &"x".repeat(budgets::NONCE_BYTES + 1)]
        {
            exchange.answer(&proof, unusable);
            assert_eq!(nonce(ResourceServer, both), Some("rs-2".into()), "{unusable}");
        }
        for other in ["https://other.example/x", "http://both.example/x", "https://both.example:8443/x"] {
            assert_eq!(nonce(ResourceServer, other), None, "{other}");
        }
    }

    #[test]
    fn a_request_is_repeated_once_and_only_with_another_nonce() {
        let exchange = Exchange::new();
        let url = "https://as.example/token";
        let permit = |retries: &mut ProofRetries, proof: &Proof| {
            retries.permit(&exchange.session, proof, ProofRefusal::NonceRequired, &HeaderMap::new())
        };
        let first = exchange.prove(AuthorizationServer, url);
        assert!(!permit(&mut ProofRetries::default(), &first), "the response had no nonce");
        exchange.answer(&first, "n-1");
        let mut retries = ProofRetries::default();
        assert!(permit(&mut retries, &first));
        // Another request had no nonce yet, although the session knows one now.
        assert!(permit(&mut ProofRetries::default(), &first));
        let second = exchange.prove(AuthorizationServer, url);
        assert!(!permit(&mut ProofRetries::default(), &second), "the nonce did not change");
        exchange.answer(&second, "n-2");
        assert!(!permit(&mut retries, &second), "the request was repeated before");
        assert!(permit(&mut ProofRetries::default(), &second));
    }

    #[test]
    fn refusals_of_requests_at_the_same_time_do_not_add_up() {
        let exchange = Exchange::new();
        let url = "https://mcp.example/x";
        let headers = headers(&[("date", "Thu, 01 Jan 1970 00:10:00 GMT")]);
        for proof in [exchange.prove(ResourceServer, url), exchange.prove(ResourceServer, url)].iter() {
            let permit =
                ProofRetries::default().permit(&exchange.session, proof, ProofRefusal::Invalid, &headers);
            assert!(permit);
            assert_eq!(claims(&exchange.prove(ResourceServer, url))["iat"], 600);
        }
    }

    #[test]
    fn the_clock_of_a_server_is_adopted_once_after_an_invalid_proof() {
        let url = "https://as.example/token";
        for (date, expected) in [
            ("Thu, 01 Jan 1970 00:01:00 GMT", None),
            ("Thu, 01 Jan 1970 00:01:01 GMT", Some(61)),
            ("Wed, 31 Dec 1969 23:50:00 GMT", Some(-600)),
            ("not a date", None),
        ] {
            let exchange = Exchange::new();
            let mut retries = ProofRetries::default();
            let mut permit = |proof: &Proof, date: &str| {
                let headers = headers(&[("date", date)]);
                retries.permit(&exchange.session, proof, ProofRefusal::Invalid, &headers)
            };
            let proof = exchange.prove(AuthorizationServer, url);
            assert_eq!(permit(&proof, date), expected.is_some(), "{date}");
            let corrected = exchange.prove(AuthorizationServer, url);
            assert_eq!(claims(&corrected)["iat"], expected.unwrap_or(0), "{date}");
            assert!(!permit(&corrected, "Thu, 01 Jan 2026 00:00:00 GMT"), "{date}");
            assert_eq!(claims(&exchange.prove(AuthorizationServer, url))["iat"], expected.unwrap_or(0));
            assert_eq!(claims(&exchange.prove(ResourceServer, url))["iat"], 0, "the other server's clock");
        }
    }
}
