//! Authorization codes: each is valid once, for a minute.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::authorization_request::AuthorizationRequest;
use super::signing::random_id;
use crate::clock::later;

/// The lifetime of a code (RFC 6749 §4.1.2 recommends ten minutes at most).
const CODE_LIFE: Duration = Duration::from_secs(60);
/// The number of stored codes. They include redeemed ones, to detect a replay.
const CAPACITY: usize = 1000;

/// A code's authorization request and state.
#[derive(Clone)]
pub(crate) struct IssuedCode {
    pub(crate) request: AuthorizationRequest,
    /// The family of every token issued for this code.
    pub(crate) family: String,
    expires_at: Timestamp,
    redeemed: bool,
}

/// The state of a code in a token request.
pub(crate) enum CodeState {
    Valid(Box<IssuedCode>),
    Expired,
    /// It was redeemed before, so its tokens must be revoked.
    Replayed {
        family: String,
    },
    Unknown,
}

#[derive(Default)]
pub(crate) struct Codes {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    codes: HashMap<String, IssuedCode>,
    oldest_first: VecDeque<String>,
}

impl Codes {
    pub(crate) fn issue(&self, request: AuthorizationRequest, now: Timestamp) -> String {
        let code = random_id();
        let issued =
            IssuedCode { request, family: random_id(), expires_at: later(now, CODE_LIFE), redeemed: false };
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.oldest_first.len() == CAPACITY
            && let Some(oldest) = memory.oldest_first.pop_front()
        {
            memory.codes.remove(&oldest);
        }
        memory.oldest_first.push_back(code.clone());
        memory.codes.insert(code.clone(), issued);
        code
    }

    pub(crate) fn look_up(&self, code: &str, now: Timestamp) -> CodeState {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match memory.codes.get(code) {
            None => CodeState::Unknown,
            Some(issued) if issued.redeemed => CodeState::Replayed { family: issued.family.clone() },
            Some(issued) if issued.expires_at <= now => CodeState::Expired,
            Some(issued) => CodeState::Valid(Box::new(issued.clone())),
        }
    }

    /// Marks a code as redeemed. Returns false if another request redeemed it first.
    pub(crate) fn redeem(&self, code: &str) -> bool {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.codes.get_mut(code).is_some_and(|issued| !std::mem::replace(&mut issued.redeemed, true))
    }
}
