//! The version of the engine's public state.

use serde::{Deserialize, Serialize};

/// A number that increases with each event of one engine, including events that only other recipients receive. A
/// recipient ignores an event if its snapshot has the same or a higher revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct Revision(#[cfg_attr(feature = "specta", specta(type = u32))] pub u64);
