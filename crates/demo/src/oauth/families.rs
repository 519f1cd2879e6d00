//! Token families: all tokens from one consent. Reuse of a refresh token revokes its family (RFC 9700 §4.14.2).

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::saturating_add;
use crate::memory;

/// The maximum number of stored families. If a family is no longer stored, for example after a restart, it continues
/// from the token that a client presents.
const CAPACITY: usize = 1000;

struct Family {
    id: String,
    /// The number of the valid refresh token.
    rotation: u32,
    rotated_at: Timestamp,
    revoked: bool,
}

/// The reason why a refresh token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RotationError {
    #[error("the refresh token has been revoked")]
    Revoked,
    #[error("the refresh token was used before; its family is revoked")]
    Reused,
}

/// The families, oldest first.
#[derive(Default)]
pub(crate) struct Families(Mutex<VecDeque<Family>>);

impl Families {
    /// Uses refresh token number `presented` and returns the next number. Within `grace` after a rotation, also accepts
    /// the previous number, and returns the current one.
    pub(crate) fn rotate(
        &self,
        id: &str,
        presented: u32,
        grace: Duration,
        now: Timestamp,
    ) -> Result<u32, RotationError> {
        let mut families = memory::lock(&self.0);
        let family = family(&mut families, id, presented, now);
        if family.revoked {
            return Err(RotationError::Revoked);
        }
        if presented == family.rotation {
            family.rotation += 1;
            family.rotated_at = now;
            return Ok(family.rotation);
        }
        if presented.checked_add(1) == Some(family.rotation) && now < saturating_add(family.rotated_at, grace)
        {
            return Ok(family.rotation);
        }
        family.revoked = true;
        Err(RotationError::Reused)
    }

    pub(crate) fn revoke(&self, id: &str, now: Timestamp) {
        family(&mut memory::lock(&self.0), id, 0, now).revoked = true;
    }

    pub(crate) fn is_revoked(&self, id: &str) -> bool {
        memory::lock(&self.0).iter().any(|family| family.id == id && family.revoked)
    }
}

/// Returns the family with this id. An unknown family begins with `rotation`.
fn family<'a>(families: &'a mut VecDeque<Family>, id: &str, rotation: u32, now: Timestamp) -> &'a mut Family {
    let index = families.iter().position(|family| family.id == id).unwrap_or_else(|| {
        let family = Family { id: id.to_owned(), rotation, rotated_at: now, revoked: false };
        memory::push(families, family, CAPACITY);
        families.len() - 1
    });
    &mut families[index]
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
    fn the_previous_token_is_accepted_within_the_grace_period() {
        let families = Families::default();
        let grace = Duration::from_secs(10);
        assert_eq!(families.rotate("f", 0, grace, NOW), Ok(1));
        assert_eq!(families.rotate("f", 0, grace, saturating_add(NOW, Duration::from_secs(9))), Ok(1));
        assert_eq!(
            families.rotate("f", 0, grace, saturating_add(NOW, Duration::from_secs(10))),
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
    fn the_number_of_families_is_limited() {
        let families = Families::default();
        for id in 0..CAPACITY + 5 {
            families.revoke(&id.to_string(), NOW);
        }
        assert_eq!(families.0.lock().unwrap().len(), CAPACITY);
    }
}
