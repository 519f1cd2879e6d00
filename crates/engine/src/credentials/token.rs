//! An access token, with what a request needs to present it.

use secrecy::SecretString;
use usher_oauth::{DpopKey, Grant};

/// An access token, with the key that it is bound to. `Debug` redacts both.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    secret: SecretString,
    /// The key that each request proves (RFC 9449 §7). `None` for a bearer token.
    key: Option<DpopKey>,
}

impl Token {
    pub fn of(grant: &Grant) -> Self {
        Self { secret: grant.access_token.as_secret().clone(), key: grant.access_key().cloned() }
    }

    pub fn key(&self) -> Option<&DpopKey> {
        self.key.as_ref()
    }

    /// Returns the access token alone.
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }
}
