//! Every token family: which refresh token is good, who presented what, and what became of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::StrictOptions;

/// All tokens that came from one consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyId(pub u32);

/// One presentation of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The number of the refresh token in its family; the first is 0.
    pub presented: u32,
    /// How long ago that token was rotated, if it was.
    pub rotated_before: Option<Duration>,
    /// When the connection was made over which it came: by whom, if one client had ended before.
    pub connected: Instant,
    pub outcome: Outcome,
}

/// What became of it. Whether the client heard so is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The current token was rotated to this one.
    Rotated { to: u32 },
    /// A token that had been rotated before was taken once more, within the grace.
    Again { to: u32 },
    /// `invalid_grant`, and meant.
    Refused(Refusal),
    /// A fault stood before the token endpoint: nothing was done.
    NotReached,
}

/// Why a refresh token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was used before: this ended its family.
    Reused,
    /// Its family had ended.
    Ended,
}

/// What happened in a family since its last page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub refreshes: Vec<Refresh>,
    /// How often a client was told `invalid_grant`, whole and meant.
    pub refusals_told: u32,
    /// MCP requests that carried a token which was no longer good.
    pub stale_requests: u32,
    /// MCP requests that carried a good one.
    pub served_requests: u32,
}

/// How a family is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number of the newest refresh token.
    pub current: u32,
    pub ended: bool,
}

/// The memory of one service.
#[derive(Debug)]
pub struct Ledger {
    options: StrictOptions,
    /// Part of every token, so that none of another service is taken for one of ours.
    nonce: u64,
    families: Mutex<Vec<Family>>,
}

#[derive(Debug)]
struct Family {
    client_id: String,
    current: u32,
    ended: bool,
    /// When each number that was rotated was rotated first.
    rotated: HashMap<u32, Instant>,
    /// Below it, rotated tokens are dead: their successor was used, so it had arrived.
    oldest_alive: u32,
    /// When the access token of each number was issued.
    issued: HashMap<u32, Instant>,
    /// Access tokens below this number are no longer good.
    oldest_access: u32,
    used_access: HashSet<u32>,
    page: Page,
}

/// How much longer than they need be the tokens of a number are: the two together of one part of the keychain's, of
/// none, of several, in all orders.
const FILLERS: [usize; 6] = [0, 3000, 1500, 0, 1500, 3000];

/// What an access token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Good { family: FamilyId, is_first_use: bool },
    Stale,
}

impl Ledger {
    pub(super) fn new(options: StrictOptions) -> Ledger {
        Ledger { options, nonce: rand::random(), families: Mutex::default() }
    }

    /// From now on none of the access tokens issued so far is good.
    pub fn expire(&self, family: FamilyId) {
        self.with(family, |family| family.oldest_access = family.current + 1);
    }

    /// Ends a family, as when the person withdraws the consent at the service.
    pub fn end(&self, family: FamilyId) {
        self.with(family, |family| family.ended = true);
    }

    /// How a family is now.
    pub fn standing(&self, family: FamilyId) -> Option<Standing> {
        self.with(family, |family| Standing { current: family.current, ended: family.ended })
    }

    /// What happened since this was asked the last time.
    pub fn turn_page(&self, family: FamilyId) -> Page {
        self.with(family, |family| std::mem::take(&mut family.page)).unwrap_or_default()
    }

    /// Which family a refresh token belongs to, and its number there; `None` for one that was not issued here.
    pub fn read_refresh_token(&self, text: &str) -> Option<(FamilyId, u32)> {
        self.read("refresh", text)
    }

    /// How many families there are.
    pub fn families(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn begin(&self, client_id: &str) -> (FamilyId, u32) {
        let mut families = self.lock();
        let id = FamilyId(u32::try_from(families.len()).unwrap_or(u32::MAX));
        families.push(Family {
            client_id: client_id.to_owned(),
            current: 0,
            ended: false,
            rotated: HashMap::new(),
            oldest_alive: 0,
            issued: HashMap::from([(0, Instant::now())]),
            oldest_access: 0,
            used_access: HashSet::new(),
            page: Page::default(),
        });
        (id, 0)
    }

    pub(super) fn belongs_to(&self, family: FamilyId, client_id: &str) -> bool {
        self.with(family, |family| family.client_id == client_id).unwrap_or(false)
    }

    /// A fault kept the request from the endpoint.
    pub(super) fn not_reached(&self, family: FamilyId, presented: u32, connected: Instant) {
        self.with(family, |family| family.note(presented, connected, Outcome::NotReached));
    }

    /// The whole answer to a refused refresh token goes out.
    pub(super) fn told_refusal(&self, family: FamilyId) {
        self.with(family, |family| family.page.refusals_told += 1);
    }

    /// Spends a refresh token.
    pub(super) fn rotate(&self, family: FamilyId, presented: u32, connected: Instant) -> Outcome {
        let grace = self.options.grace;
        let outcome = self.with(family, |family| {
            let outcome = family.spend(presented, grace);
            family.note(presented, connected, outcome);
            if let Outcome::Rotated { to } | Outcome::Again { to } = outcome {
                family.rotated.entry(presented).or_insert_with(Instant::now);
                family.issued.insert(to, Instant::now());
            }
            outcome
        });
        outcome.unwrap_or(Outcome::Refused(Refusal::Ended))
    }

    pub(super) fn use_access_token(&self, text: &str) -> Access {
        let Some((id, number)) = self.read("access", text) else { return Access::Stale };
        let life = self.options.life;
        let access = self.with(id, |family| {
            let is_good = !family.ended
                && number >= family.oldest_access
                && family.issued.get(&number).is_some_and(|issued| issued.elapsed() < life);
            if is_good {
                family.page.served_requests += 1;
                Access::Good { family: id, is_first_use: family.used_access.insert(number) }
            } else {
                family.page.stale_requests += 1;
                Access::Stale
            }
        });
        access.unwrap_or(Access::Stale)
    }

    /// The texts of the access and the refresh token of a number.
    pub(super) fn write(&self, family: FamilyId, number: u32) -> (String, String) {
        let filler = if self.options.has_long_tokens { FILLERS[number as usize % FILLERS.len()] } else { 0 };
        let text =
            |kind: &str| format!("{kind}.{}.{number}.{:016x}.{}", family.0, self.nonce, "x".repeat(filler));
        (text("access"), text("refresh"))
    }

    fn read(&self, kind: &str, text: &str) -> Option<(FamilyId, u32)> {
        let mut parts = text.strip_prefix(kind)?.strip_prefix('.')?.split('.');
        let (family, number, nonce) = (parts.next()?, parts.next()?, parts.next()?);
        let family = FamilyId(family.parse().ok()?);
        (u64::from_str_radix(nonce, 16).ok()? == self.nonce).then_some((family, number.parse().ok()?))
    }

    fn with<T>(&self, family: FamilyId, act: impl FnOnce(&mut Family) -> T) -> Option<T> {
        self.lock().get_mut(family.0 as usize).map(act)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Family {
    fn spend(&mut self, presented: u32, grace: Duration) -> Outcome {
        if self.ended {
            return Outcome::Refused(Refusal::Ended);
        }
        let to = self.current + 1;
        if presented == self.current {
            // The newest token is in the client's hands: none before it is needed any more.
            self.oldest_alive = presented;
            self.current = to;
            return Outcome::Rotated { to };
        }
        let in_grace = self.rotated.get(&presented).is_some_and(|rotated| rotated.elapsed() < grace);
        if presented >= self.oldest_alive && in_grace {
            self.current = to;
            return Outcome::Again { to };
        }
        self.ended = true;
        Outcome::Refused(Refusal::Reused)
    }

    fn note(&mut self, presented: u32, connected: Instant, outcome: Outcome) {
        let rotated_before = self.rotated.get(&presented).map(Instant::elapsed);
        self.page.refreshes.push(Refresh { presented, rotated_before, connected, outcome });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(grace: u64) -> Ledger {
        Ledger::new(StrictOptions { grace: Duration::from_secs(grace), ..StrictOptions::default() })
    }

    #[test]
    fn a_second_use_ends_the_family() {
        let ledger = ledger(0);
        let (family, first) = ledger.begin("client");
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Rotated { to: 1 });
        assert_eq!(ledger.rotate(family, 1, Instant::now()), Outcome::Rotated { to: 2 });
        assert_eq!(ledger.rotate(family, 1, Instant::now()), Outcome::Refused(Refusal::Reused));
        assert_eq!(ledger.rotate(family, 2, Instant::now()), Outcome::Refused(Refusal::Ended));
        assert_eq!(ledger.standing(family), Some(Standing { current: 2, ended: true }));
    }

    #[test]
    fn within_the_grace_a_token_is_taken_until_its_successor_is_used() {
        let ledger = ledger(600);
        let (family, first) = ledger.begin("client");
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Rotated { to: 1 });
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Again { to: 2 });
        assert_eq!(ledger.rotate(family, 2, Instant::now()), Outcome::Rotated { to: 3 });
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Refused(Refusal::Reused));
    }

    #[test]
    fn a_page_holds_what_happened_since_the_last() {
        let ledger = ledger(0);
        let (family, first) = ledger.begin("client");
        let (access, refresh) = ledger.write(family, first);
        assert_eq!(ledger.read_refresh_token(&refresh), Some((family, first)));
        assert_eq!(ledger.use_access_token(&access), Access::Good { family, is_first_use: true });
        assert_eq!(ledger.use_access_token(&access), Access::Good { family, is_first_use: false });
        ledger.expire(family);
        assert_eq!(ledger.use_access_token(&access), Access::Stale);
        let connected = Instant::now();
        ledger.not_reached(family, first, connected);
        let page = ledger.turn_page(family);
        assert_eq!((page.served_requests, page.stale_requests), (2, 1));
        let missed = Refresh { presented: 0, rotated_before: None, connected, outcome: Outcome::NotReached };
        assert_eq!(page.refreshes, [missed]);
        assert_eq!(ledger.turn_page(family), Page::default());
    }

    #[test]
    fn tokens_of_another_service_are_unknown() {
        let (one, other) = (ledger(0), ledger(0));
        let (family, first) = one.begin("client");
        other.begin("client");
        let (access, refresh) = one.write(family, first);
        assert_eq!(other.read_refresh_token(&refresh), None);
        assert_eq!(other.use_access_token(&access), Access::Stale);
        assert_eq!(one.read_refresh_token(&access), None);
    }
}
