//! The version of the engine's public state.

use serde::{Deserialize, Serialize};

/// Increases with each event of one engine, including events that this reader does not get. A reader drops events
/// whose revision is not higher than its snapshot's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct Revision(#[cfg_attr(feature = "specta", specta(type = u32))] pub u64);
