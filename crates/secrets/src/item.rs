//! One kept secret's name in the store and its label for people.

use crate::Error;

/// Names are a kind, a colon and the rest; the rest is never a path and never parsed but for `named:`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    user: String,
    label: String,
}

const NAMED: &str = "named:";
/// Windows takes 512 characters for a user name; issuer and client id together stay below it.
const MAX_NAME: usize = 400;

impl Item {
    pub fn grant(server: &str) -> Result<Self, Error> {
        checked(server)?;
        Ok(Self { user: format!("grant:{server}"), label: format!("Usher: {server}") })
    }

    pub fn pending(server: &str) -> Result<Self, Error> {
        checked(server)?;
        Ok(Self { user: format!("pending:{server}"), label: format!("Usher: {server} (sign-in under way)") })
    }

    pub fn client(issuer: &str, client_id: &str) -> Result<Self, Error> {
        checked(issuer)?;
        checked(client_id)?;
        Ok(Self { user: format!("client:{issuer} {client_id}"), label: format!("Usher: client of {issuer}") })
    }

    pub fn named(name: &str) -> Result<Self, Error> {
        checked(name)?;
        Ok(Self { user: format!("{NAMED}{name}"), label: format!("Usher: secret {name}") })
    }

    /// One part of an item that is too long for one.
    pub fn part(&self, slot: char, index: usize) -> Self {
        Self {
            user: format!("part:{slot}{index}:{}", self.user),
            label: format!("{} (part {})", self.label, index + 1),
        }
    }

    /// The name of a named secret, if that is what the item is.
    pub fn named_of(user: &str) -> Option<String> {
        user.strip_prefix(NAMED).map(str::to_owned)
    }

    /// The keychain's user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What the system's own keychain program shows.
    pub fn label(&self) -> &str {
        &self.label
    }
}

fn checked(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::InvalidName { why: "is empty" });
    }
    if name.chars().count() > MAX_NAME {
        return Err(Error::InvalidName { why: "is too long" });
    }
    if name.chars().any(char::is_control) {
        return Err(Error::InvalidName { why: "has a control character" });
    }
    Ok(())
}
