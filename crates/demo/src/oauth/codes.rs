//! Authorization codes. Each is valid once and for one minute.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use super::authorization_request::AuthorizationRequest;
use super::signing::random_id;
use crate::clock::saturating_add;
use crate::memory;

/// The lifetime of a code (RFC 6749 §4.1.2 recommends ten minutes at most).
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// The maximum number of stored codes. Redeemed codes are stored too, to detect a replay.
const CAPACITY: usize = 1000;

/// A code's authorization request and state.
pub(crate) struct IssuedCode {
    pub(crate) code: String,
    pub(crate) request: AuthorizationRequest,
    /// The family of every token issued for this code.
    pub(crate) family: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) redeemed: bool,
}

/// The codes, oldest first.
pub(crate) type Codes = Mutex<VecDeque<IssuedCode>>;

/// Issues a code for an allowed request.
pub(crate) fn issue(codes: &Codes, request: AuthorizationRequest, now: Timestamp) -> String {
    let code = random_id();
    let issued = IssuedCode {
        code: code.clone(),
        request,
        family: random_id(),
        expires_at: saturating_add(now, CODE_LIFETIME),
        redeemed: false,
    };
    memory::push(&mut memory::lock(codes), issued, CAPACITY);
    code
}
