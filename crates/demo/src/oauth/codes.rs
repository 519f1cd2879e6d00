//! Authorization codes: an answer to one authorization request, good once and for a minute.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::authorize::AuthorizationRequest;
use super::signing::random_id;
use crate::clock::later;

/// How long a code may be redeemed (RFC 6749 §4.1.2 recommends ten minutes at most).
const CODE_LIFE: Duration = Duration::from_secs(60);
/// How many codes are remembered, redeemed ones included, so that a replay is recognised.
const CAPACITY: usize = 1000;

/// What a code stands for.
#[derive(Clone)]
pub(crate) struct IssuedCode {
    pub(crate) request: AuthorizationRequest,
    /// The family of every token that comes from this code.
    pub(crate) family: String,
    expires_at: Timestamp,
    redeemed: bool,
}

/// What is known of a code that was presented.
pub(crate) enum Presented {
    Good(Box<IssuedCode>),
    Expired,
    /// It was redeemed before; what it gave is to be revoked.
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

    pub(crate) fn look_up(&self, code: &str, now: Timestamp) -> Presented {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match memory.codes.get(code) {
            None => Presented::Unknown,
            Some(issued) if issued.redeemed => Presented::Replayed { family: issued.family.clone() },
            Some(issued) if issued.expires_at <= now => Presented::Expired,
            Some(issued) => Presented::Good(Box::new(issued.clone())),
        }
    }

    /// Spends a code; false if another request was faster.
    pub(crate) fn redeem(&self, code: &str) -> bool {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.codes.get_mut(code).is_some_and(|issued| !std::mem::replace(&mut issued.redeemed, true))
    }
}
