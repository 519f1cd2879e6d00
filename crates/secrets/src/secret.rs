//! A secret as bytes.

use secrecy::zeroize::Zeroizing;

/// The bytes of a secret, zeroed when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// Decides whether to delete an item, from its current value. No other caller can change the item meanwhile.
pub(crate) type Condition = Box<dyn Fn(&Secret) -> bool + Send + Sync>;
