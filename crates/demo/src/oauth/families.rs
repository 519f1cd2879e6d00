//! Token families: all tokens from one consent. Reuse of a refresh token revokes its family (RFC 9700 §4.14.2).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;

/// The number of stored families. A dropped family, for example after a restart, continues from the presented token.
const CAPACITY: usize = 10_000;

#[derive(Clone, Copy)]
struct Family {
    /// The number of the valid refresh token.
    rotation: u32,
    rotated_at: Timestamp,
    revoked: bool,
}

/// The reason for rejecting a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RotationError {
    Revoked,
    Reused,
}

#[derive(Default)]
pub(crate) struct Families {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    families: HashMap<String, Family>,
    oldest_first: VecDeque<String>,
}

impl Families {
    /// Uses refresh token number `presented` and returns the next number. Within `grace` after a rotation, the previous
    /// token returns the current number again.
    pub(crate) fn rotate(
        &self,
        id: &str,
        presented: u32,
        grace: Duration,
        now: Timestamp,
    ) -> Result<u32, RotationError> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let family = memory.family(id, presented, now);
        if family.revoked {
            return Err(RotationError::Revoked);
        }
        if presented == family.rotation {
            family.rotation += 1;
            family.rotated_at = now;
            return Ok(family.rotation);
        }
        if presented.checked_add(1) == Some(family.rotation) && now < later(family.rotated_at, grace) {
            return Ok(family.rotation);
        }
        family.revoked = true;
        Err(RotationError::Reused)
    }

    pub(crate) fn revoke(&self, id: &str, now: Timestamp) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).family(id, 0, now).revoked = true;
    }

    pub(crate) fn is_revoked(&self, id: &str) -> bool {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.families.get(id).is_some_and(|family| family.revoked)
    }
}

impl Memory {
    fn family(&mut self, id: &str, rotation: u32, now: Timestamp) -> &mut Family {
        if !self.families.contains_key(id) {
            if self.oldest_first.len() == CAPACITY
                && let Some(oldest) = self.oldest_first.pop_front()
            {
                self.families.remove(&oldest);
            }
            self.oldest_first.push_back(id.to_owned());
        }
        self.families.entry(id.to_owned()).or_insert(Family { rotation, rotated_at: now, revoked: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_second_use_revokes_the_family() {
        let families = Families::default();
        assert_eq!(families.rotate("f", 0, Duration::ZERO, NOW), Ok(1));
        assert_eq!(families.rotate("f", 1, Duration::ZERO, NOW), Ok(2));
        assert_eq!(families.rotate("f", 1, Duration::ZERO, NOW), Err(RotationError::Reused));
        assert_eq!(families.rotate("f", 2, Duration::ZERO, NOW), Err(RotationError::Revoked));
        assert!(families.is_revoked("f"));
        assert!(!families.is_revoked("g"));
    }

    #[test]
    fn the_previous_token_is_accepted_within_the_grace() {
        let families = Families::default();
        let grace = Duration::from_secs(10);
        assert_eq!(families.rotate("f", 0, grace, NOW), Ok(1));
        assert_eq!(families.rotate("f", 0, grace, later(NOW, Duration::from_secs(9))), Ok(1));
        assert_eq!(
            families.rotate("f", 0, grace, later(NOW, Duration::from_secs(10))),
            Err(RotationError::Reused)
        );
    }

    #[test]
    fn an_unknown_family_continues_from_its_token() {
        let families = Families::default();
        assert_eq!(families.rotate("f", 41, Duration::ZERO, NOW), Ok(42));
        assert_eq!(families.rotate("f", 41, Duration::ZERO, NOW), Err(RotationError::Reused));
    }

    #[test]
    fn memory_is_bounded() {
        let families = Families::default();
        for id in 0..CAPACITY + 5 {
            families.revoke(&id.to_string(), NOW);
        }
        let memory = families.memory.lock().unwrap();
        assert_eq!((memory.families.len(), memory.oldest_first.len()), (CAPACITY, CAPACITY));
    }
}
