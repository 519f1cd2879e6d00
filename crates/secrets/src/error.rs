//! What can go wrong with a secret store. None of it ever means "there is no such item".

use std::io;
use std::path::PathBuf;

/// Why the store did not do what it was asked. Messages hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no keychain to talk to, or it failed in a way that a person cannot answer.
    #[error("the keychain cannot be used: {why}")]
    Unavailable { why: String },
    /// The keychain is there and does not open: it is locked, or its prompt was dismissed.
    #[error("the keychain is locked: {why}")]
    Locked { why: String },
    /// No answer in time; most often a prompt to unlock that nobody answered.
    #[error("the keychain gave no answer within {seconds} seconds; it may be waiting to be unlocked")]
    TimedOut { seconds: u64 },
    /// An item is there, but is not what we wrote. It stays as it is.
    #[error("the kept secret `{item}` cannot be read: {why}")]
    Corrupt { item: String, why: String },
    /// Longer than any token has a reason to be.
    #[error("the secret `{item}` is too long to keep")]
    TooLong { item: String },
    /// A name that the store cannot take.
    #[error("the name of a secret {why}")]
    InvalidName { why: &'static str },
    /// The secrets file is a symbolic link, somebody else's, or open to others.
    #[error("{} is not safe to keep secrets in: {why}", path.display())]
    UnsafeFile { path: PathBuf, why: &'static str },
    /// The secrets file holds something else than secrets.
    #[error("{} cannot be read as a secrets file: {why}", path.display())]
    BrokenFile { path: PathBuf, why: String },
    /// The secrets file could not be read or written.
    #[error("{doing} {} failed: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl Error {
    /// Whether the person can settle it by unlocking the keychain.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::TimedOut { .. })
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Unavailable { .. } => unavailable_hint().to_owned(),
            Self::Locked { .. } | Self::TimedOut { .. } => "Unlock your keychain, then try again.".to_owned(),
            Self::Corrupt { .. } => {
                "Sign out of this service and in again; that writes the item anew.".to_owned()
            }
            Self::TooLong { .. } => "Report this: the service issued an unusually long token.".to_owned(),
            Self::InvalidName { .. } => "Use 1 to 350 characters without line breaks.".to_owned(),
            Self::UnsafeFile { path, .. } => {
                format!("Make it a file of your own that only you can read: chmod 600 {}", path.display())
            }
            Self::BrokenFile { path, .. } => {
                format!(
                    "Move {} away to begin with an empty one; its sign-ins are then lost.",
                    path.display()
                )
            }
            Self::Io { path, .. } => format!("Check that you may write {} and its folder.", path.display()),
        }
    }
}

fn unavailable_hint() -> &'static str {
    if cfg!(target_os = "linux") {
        "Start a keyring such as gnome-keyring or KWallet in your session, then try again; or choose a private \
         file as the secret store."
    } else {
        "Check that you are logged in to a desktop session, then try again; or choose a private file as the \
         secret store."
    }
}
