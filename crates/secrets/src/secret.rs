//! A secret as bytes.

use secrecy::zeroize::Zeroizing;

/// The bytes of a secret, zeroed when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// Decides from an item's current value whether to delete the item. No other call to the same `SecretStore` can change
/// the item in the meantime.
pub(crate) type Condition = Box<dyn Fn(&Secret) -> bool + Send + Sync>;
