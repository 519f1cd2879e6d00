//! The queue of faults for the token endpoint.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::options::TokenFault;

pub(crate) struct TokenFaults {
    queue: Mutex<VecDeque<TokenFault>>,
}

impl TokenFaults {
    pub(crate) fn new(faults: Vec<TokenFault>) -> Self {
        Self { queue: Mutex::new(faults.into()) }
    }

    pub(crate) fn push(&self, fault: TokenFault) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    pub(crate) fn take(&self) -> Option<TokenFault> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
