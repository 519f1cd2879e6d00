//! The supported scopes.

use std::collections::BTreeSet;
use std::fmt;

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

    /// Returns the permission and its details, for the consent page.
    pub(crate) fn description(self) -> (&'static str, &'static str) {
        match self {
            Scope::OpenId => ("See your profile", "Your name and email address"),
            Scope::NotesRead => ("Read your pages", "Search and open all pages"),
            Scope::NotesWrite => ("Add pages", "It cannot change or delete existing pages"),
            Scope::OfflineAccess => ("Stay signed in", "Until you sign out in the app"),
        }
    }
}

/// A set of scopes in canonical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Parses a space-separated list (RFC 6749 §3.3). Returns `None` for an unknown scope.
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
        self.0.is_subset(&other.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Scopes(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}
