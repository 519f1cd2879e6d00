//! The names of tools and prompts in a target with several servers: `alias__tool`.
//!
//! Clients put the name of the server that they know in front, and limit the whole to 60 to 64 characters. A name that
//! is too long loses its beginning, because the end distinguishes it from similar ones, and gets a part of a hash.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

/// The longest name, in characters. All are ASCII.
const MAX_NAME: usize = 50;
const MAX_ALIAS: usize = 12;
const SEPARATOR: &str = "__";
const HASH_CHARACTERS: usize = 8;

/// Returns the alias of each server, in the same order. Each is unique.
pub(crate) fn aliases<'a>(servers: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken = HashSet::new();
    let unique = |server: &str| {
        let alias = alias(server);
        let numbered = (2..).map(|number: u32| {
            let suffix = number.to_string();
            let kept = alias.len().min(MAX_ALIAS - suffix.len());
            format!("{}{suffix}", &alias[..kept])
        });
        let mut candidates = std::iter::once(alias.clone()).chain(numbered);
        candidates.find(|candidate| taken.insert(candidate.clone())).unwrap_or(alias.clone())
    };
    servers.into_iter().map(unique).collect()
}

fn alias(server: &str) -> String {
    let legal = |letter: char| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    };
    let alias: String = server.chars().map(legal).take(MAX_ALIAS).collect();
    if alias.is_empty() { "server".to_owned() } else { alias }
}

/// Returns the joined name of a tool or prompt. `taken` contains the names before it; the new one is added.
pub(crate) fn joined_name(alias: &str, name: &str, taken: &mut HashSet<String>) -> String {
    let legal = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter,
        '-' => letter,
        _ => '_',
    };
    let plain: String = name.chars().map(legal).collect();
    let joined = format!("{alias}{SEPARATOR}{plain}");
    if joined.len() <= MAX_NAME && taken.insert(joined.clone()) {
        return joined;
    }
    let digest = Sha256::digest(format!("{alias}{SEPARATOR}{name}"));
    let hash: String = digest.iter().take(HASH_CHARACTERS / 2).map(|byte| format!("{byte:02x}")).collect();
    let room = MAX_NAME - alias.len() - SEPARATOR.len() - 1 - HASH_CHARACTERS;
    let end = &plain[plain.len().saturating_sub(room)..];
    let joined = format!("{alias}{SEPARATOR}{end}_{hash}");
    taken.insert(joined.clone());
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_short_legal_and_unique() {
        let servers = ["Notion", "notion", "a very long name indeed", "a very long name", "Ü", "", "_"];
        let expected = ["notion", "notion2", "a-very-long-", "a-very-long2", "-", "server", "-2"];
        assert_eq!(aliases(servers), expected);
    }

    #[test]
    fn names_are_legal_unique_and_at_most_50_characters_long() {
        let mut taken = HashSet::new();
        let mut joined = |name: &str| joined_name("notion", name, &mut taken);
        assert_eq!(joined("search"), "notion__search");
        assert_eq!(joined("pages.list"), "notion__pages_list");
        let clash = joined("pages_list");
        assert!(clash.starts_with("notion__pages_list_") && clash.len() == 27, "{clash}");
        let (first, second) = ("x".repeat(60) + "-first", "x".repeat(60) + "-second");
        let (first, second) = (joined(&first), joined(&second));
        assert_eq!((first.len(), second.len()), (50, 50));
        assert!(first.contains("-first_") && second.contains("-second_"), "{first} {second}");
    }
}
