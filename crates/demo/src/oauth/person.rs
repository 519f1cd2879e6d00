//! The demo's only account.
pub(crate) struct Person {
    pub(crate) subject: &'static str,
    pub(crate) name: &'static str,
    pub(crate) initials: &'static str,
    pub(crate) username: &'static str,
    pub(crate) email: &'static str,
}

pub(crate) const PERSON: Person = Person {
    subject: "person-1815",
    name: "Ada Lovelace",
    initials: "AL",
    username: "ada",
    email: "ada@example.org",
};
