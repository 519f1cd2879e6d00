//! What became of the kills, as numbers.

use std::collections::BTreeMap;

/// The kills at one server.
#[derive(Debug, Default)]
pub struct Kills {
    pub points: BTreeMap<&'static str, AtPoint>,
    /// Runs that were over before their moment came; they count for nothing.
    pub escaped: u32,
    /// What must not be.
    pub broken: Vec<String>,
}

/// The kills at one point.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtPoint {
    pub kills: u32,
    /// The server had rotated the token, and the new one was not stored.
    pub between: u32,
    /// The next run had to say that a sign-in is needed.
    pub lost: u32,
}

impl Kills {
    pub fn total(&self) -> AtPoint {
        self.points.values().fold(AtPoint::default(), AtPoint::plus)
    }

    /// The two together.
    pub fn merge(mut self, other: Kills) -> Kills {
        for (name, point) in &other.points {
            let sum = self.points.entry(name).or_default();
            *sum = sum.plus(point);
        }
        self.escaped += other.escaped;
        self.broken.extend(other.broken);
        self
    }
}

impl AtPoint {
    fn plus(self, other: &AtPoint) -> AtPoint {
        AtPoint {
            kills: self.kills + other.kills,
            between: self.between + other.between,
            lost: self.lost + other.lost,
        }
    }
}
