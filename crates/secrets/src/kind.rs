//! Where secrets are kept, as the person says it: `keychain`, `file:PATH` or `memory`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The kind of store. Only the person chooses it; nothing falls back from one to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// The system's own: Secret Service, Keychain, Credential Manager.
    #[default]
    Keychain,
    /// One private file (0600), readable by every program of the same person.
    File(PathBuf),
    /// Gone when the program ends.
    Memory,
}

/// A word that names no kind of store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a secret store; it is one of keychain, file:PATH and memory")]
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
    fn every_kind_reads_what_it_writes() {
        for kind in [StoreKind::Keychain, StoreKind::File("/a b/c".into()), StoreKind::Memory] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn other_words_are_refused() {
        for text in ["", "file:", "file", "Keychain", "none", "keychain:x"] {
            assert_eq!(text.parse::<StoreKind>(), Err(UnknownStoreKind(text.to_owned())));
        }
    }
}
