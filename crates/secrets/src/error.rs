//! The errors of a secret store. None of them means that an item does not exist.

use std::io;
use std::path::PathBuf;

/// A failed operation. Messages contain no secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no keychain, or it failed for a reason other than being locked.
    #[error("the keychain is unavailable: {why}")]
    Unavailable { why: String },
    /// The keychain is locked, or its unlock prompt was dismissed.
    #[error("the keychain is locked: {why}")]
    Locked { why: String },
    /// The deadline passed, usually with an unlock prompt still open.
    #[error("the keychain did not respond within {seconds} seconds and may be waiting to be unlocked")]
    TimedOut { seconds: u64 },
    /// An item exists but is damaged. It is left unchanged.
    #[error("could not read the stored secret `{item}`: {why}")]
    Corrupt { item: String, why: String },
    /// The secret is longer than any valid token.
    #[error("the secret `{item}` is too long to store")]
    TooLong { item: String },
    /// The file would become larger than a file that can be read. It is left unchanged.
    #[error("{} has no room for another secret", path.display())]
    Full { path: PathBuf },
    /// The store does not support this name.
    #[error("the name of the secret {why}")]
    InvalidName { why: &'static str },
    /// The file or folder has the wrong type (such as a symbolic link), belongs to another user, or is accessible to
    /// others.
    #[error("{} is not safe to store secrets in: {why}", path.display())]
    UnsafeFile { path: PathBuf, why: &'static str },
    /// The file is not a valid secrets file.
    #[error("could not read {} as a secrets file: {why}", path.display())]
    BrokenFile { path: PathBuf, why: String },
    /// The file could not be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

impl Error {
    /// Whether the person can fix the error by unlocking the keychain.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::TimedOut { .. })
    }

    /// The next step, for display.
    pub fn hint(&self) -> String {
        match self {
            Self::Unavailable { .. } => unavailable_hint().to_owned(),
            Self::Locked { .. } | Self::TimedOut { .. } => "Unlock your keychain, then try again.".to_owned(),
            Self::Corrupt { .. } => {
                "Sign out of this service and sign in again to replace the item.".to_owned()
            }
            Self::TooLong { .. } => {
                "The service issued an unusually long token. Report this problem.".to_owned()
            }
            Self::Full { .. } => "Sign out of services that you no longer use, then try again.".to_owned(),
            Self::InvalidName { .. } => "Use 1 to 350 characters without line breaks.".to_owned(),
            Self::UnsafeFile { path, .. } => {
                format!(
                    "Make sure that it belongs to you and that only you can read it: chmod 600 {}",
                    path.display()
                )
            }
            Self::BrokenFile { path, .. } => {
                format!(
                    "Move {} to another folder to start with an empty file. You must then sign in to all services again.",
                    path.display()
                )
            }
            Self::Io { path, .. } => {
                format!("Check that you have permission to write {} and its folder.", path.display())
            }
        }
    }
}

fn unavailable_hint() -> &'static str {
    if cfg!(target_os = "linux") {
        "Start a keyring such as gnome-keyring or KWallet, then try again. Or choose a private file as the secret \
         store."
    } else {
        "Check that you are logged in to a desktop session, then try again. Or choose a private file as the \
         secret store."
    }
}
