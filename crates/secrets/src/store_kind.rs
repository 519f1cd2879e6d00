//! The kind of secret store, written as `keychain`, `file:PATH` or `memory`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The kind of store. Only the person chooses it; there is no fallback to another kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// The system's keychain: Secret Service, Keychain or Credential Manager.
    #[default]
    Keychain,
    /// A private file (mode 0600), which every program of the same user can read.
    File(PathBuf),
    /// Memory, which is lost when the program ends.
    Memory,
}

/// The error for a text that is not a kind of store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a secret store; use keychain, file:PATH or memory")]
pub struct UnknownStoreKind(String);

impl FromStr for StoreKind {
    type Err = UnknownStoreKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keychain" => Ok(Self::Keychain),
            "memory" => Ok(Self::Memory),
            _ => match text.strip_prefix("file:") {
                Some(path) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
                Some(_) | None => Err(UnknownStoreKind(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keychain => f.write_str("keychain"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Memory => f.write_str("memory"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_round_trips() {
        for kind in [StoreKind::Keychain, StoreKind::File("/a b/c".into()), StoreKind::Memory] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in ["", "file:", "file", "Keychain", "none", "keychain:x"] {
            assert_eq!(text.parse::<StoreKind>(), Err(UnknownStoreKind(text.to_owned())));
        }
    }
}
