//! The permissions this service knows, and sets of them.

use std::fmt;

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    OpenId,
    NotesRead,
    NotesWrite,
    OfflineAccess,
}

impl Scope {
    pub(crate) const ALL: [Scope; 4] =
        [Scope::OpenId, Scope::NotesRead, Scope::NotesWrite, Scope::OfflineAccess];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Scope::OpenId => "openid",
            Scope::NotesRead => "notes:read",
            Scope::NotesWrite => "notes:write",
            Scope::OfflineAccess => "offline_access",
        }
    }

    /// What the person is told: the permission in plain words, and what it does not reach.
    pub(crate) fn in_plain_words(self) -> (&'static str, &'static str) {
        match self {
            Scope::OpenId => ("See who you are", "Your name and e-mail address"),
            Scope::NotesRead => ("Read your notebook", "Search and open every page in it"),
            Scope::NotesWrite => ("Add pages to your notebook", "It cannot change or delete pages you have"),
            Scope::OfflineAccess => ("Stay signed in", "Until you sign out in the app"),
        }
    }
}

/// A set of permissions in their usual order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<Scope>);

impl Scopes {
    /// Parses a space separated list (RFC 6749 §3.3); `None` if one of them is not known.
    pub(crate) fn parse(text: &str) -> Option<Scopes> {
        text.split(' ')
            .filter(|name| !name.is_empty())
            .map(|name| Scope::ALL.into_iter().find(|scope| scope.name() == name))
            .collect()
    }

    pub(crate) fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub(crate) fn is_subset_of(&self, other: &Scopes) -> bool {
        self.0.iter().all(|scope| other.contains(*scope))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Scopes(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}
