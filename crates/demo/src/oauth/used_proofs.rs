//! The proofs that were used, so that none is used twice (RFC 9449 §11.1).

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::memory;

const CAPACITY: usize = 1000;

/// The ids of the last proofs, oldest first.
#[derive(Default)]
pub(crate) struct UsedProofs(Mutex<VecDeque<String>>);

impl UsedProofs {
    /// Records the id of a proof. Returns whether it is new.
    pub(crate) fn note(&self, id: String) -> bool {
        let mut used = memory::lock(&self.0);
        let is_new = !used.contains(&id);
        if is_new {
            memory::push(&mut used, id, CAPACITY);
        }
        is_new
    }
}
