//! The results of the kills.

use std::collections::BTreeMap;

/// The kills at one server.
#[derive(Debug, Default)]
pub struct Kills {
    pub moments: BTreeMap<&'static str, MomentCount>,
    /// Runs that ended before the kill; they are not counted.
    pub missed: u32,
    pub violations: Vec<String>,
}

/// The kills at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct MomentCount {
    pub kills: u32,
    /// Kills after the server had rotated the token and before the new token was stored.
    pub between: u32,
    /// Kills after which the next run reported that a sign-in is needed.
    pub lost: u32,
}

impl Kills {
    pub fn total(&self) -> MomentCount {
        self.moments.values().fold(MomentCount::default(), MomentCount::plus)
    }

    pub fn merge(mut self, other: Kills) -> Kills {
        for (name, count) in &other.moments {
            let sum = self.moments.entry(name).or_default();
            *sum = sum.plus(count);
        }
        self.missed += other.missed;
        self.violations.extend(other.violations);
        self
    }
}

impl MomentCount {
    fn plus(self, other: &MomentCount) -> MomentCount {
        MomentCount {
            kills: self.kills + other.kills,
            between: self.between + other.between,
            lost: self.lost + other.lost,
        }
    }
}
