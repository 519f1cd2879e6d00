//! The name and label of a secret in the store.

use sha2::{Digest, Sha256};

use crate::Error;

/// The name and label of a secret. The name consists of a kind, a colon and a remainder. It is never used as a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    user: String,
    label: String,
}

const NAMED: &str = "named:";
const GRANT: &str = "grant:";
/// The maximum length of a name. Windows limits user names to 512 characters. A user name consists of a kind, a name
/// and, for some kinds, a client ID.
const MAX_NAME: usize = 350;
const MAX_CLIENT_ID: usize = 100;

impl Item {
    pub fn grant(server: &str) -> Result<Self, Error> {
        check_name(server)?;
        Ok(Self { user: format!("{GRANT}{server}"), label: format!("Usher: {server}") })
    }

    pub fn pending(server: &str) -> Result<Self, Error> {
        check_name(server)?;
        Ok(Self { user: format!("pending:{server}"), label: format!("Usher: {server} (pending sign-in)") })
    }

    pub fn client(issuer: &str, client_id: &str) -> Result<Self, Error> {
        check_name(issuer)?;
        if client_id.is_empty() {
            return Err(Error::InvalidName { why: "is empty" });
        }
        let client = short_client_id(client_id);
        Ok(Self { user: format!("client:{issuer} {client}"), label: format!("Usher: client of {issuer}") })
    }

    pub fn named(name: &str) -> Result<Self, Error> {
        check_name(name)?;
        Ok(Self { user: format!("{NAMED}{name}"), label: format!("Usher: secret {name}") })
    }

    /// Returns the item of one part of a split secret.
    pub fn part(&self, slot: char, index: usize) -> Self {
        Self {
            user: format!("part:{slot}{index}:{}", self.user),
            label: format!("{} (part {})", self.label, index + 1),
        }
    }

    /// Returns the name of the secret, if the item is a named secret.
    pub fn secret_name(user: &str) -> Option<String> {
        user.strip_prefix(NAMED).map(str::to_owned)
    }

    /// Returns the name of the server, if the item is a grant.
    pub fn granted_server(user: &str) -> Option<String> {
        user.strip_prefix(GRANT).map(str::to_owned)
    }

    /// The user name of the item in the keychain.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the error for a damaged item.
    pub fn corrupt(&self, why: impl Into<String>) -> Error {
        Error::Corrupt { item: self.user.clone(), why: why.into() }
    }

    /// The text that the system's keychain program shows.
    pub fn label(&self) -> &str {
        &self.label
    }
}

/// Returns the client ID, or its digest if it is long. Servers choose client IDs of any length.
fn short_client_id(client_id: &str) -> String {
    if client_id.len() <= MAX_CLIENT_ID && !client_id.chars().any(char::is_control) {
        return client_id.to_owned();
    }
    format!("sha256:{:x}", Sha256::digest(client_id))
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::InvalidName { why: "is empty" });
    }
    if name.chars().count() > MAX_NAME {
        return Err(Error::InvalidName { why: "is too long" });
    }
    if name.chars().any(char::is_control) {
        return Err(Error::InvalidName { why: "contains a control character" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_fits_into_every_keychain() {
        let (issuer, client_id) = ("i".repeat(MAX_NAME), "c".repeat(5_000));
        let long = Item::client(&issuer, &client_id).expect("it fits");
        let part = long.part('a', 63);
        assert!(part.user().len() < 512, "{}", part.user().len());
        let other = Item::client(&issuer, &"d".repeat(5_000)).expect("it fits");
        assert_ne!(long, other);
        assert_eq!(Item::client("i", "c").expect("it fits").user(), "client:i c");
    }

    #[test]
    fn only_named_secrets_are_listed() {
        let named = Item::named("part:x").expect("a name");
        assert_eq!(Item::secret_name(named.user()).as_deref(), Some("part:x"));
        for item in [Item::grant("named:x"), Item::pending("named:x"), Item::client("named:x", "y")] {
            assert_eq!(Item::secret_name(item.expect("a name").user()), None);
        }
        assert_eq!(Item::secret_name(named.part('a', 0).user()), None);
        let grant = Item::grant("named:x").expect("a name");
        assert_eq!(Item::granted_server(grant.user()).as_deref(), Some("named:x"));
        assert_eq!(Item::granted_server(grant.part('a', 0).user()), None);
    }
}
