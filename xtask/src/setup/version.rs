//! Version numbers in the output of programs.

use semver::{Version, VersionReq};

/// The first `major.minor.patch` in a text ("cargo-deny 0.20.2", "v20.20.2").
pub fn find(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| Version::parse(word.trim_start_matches('v')).ok())
}

/// Whether the version meets a requirement like that of a dependency in Cargo.toml.
pub fn meets(version: &Version, requirement: &str) -> bool {
    VersionReq::parse(requirement).is_ok_and(|requirement| requirement.matches(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_the_output_of_programs() {
        let found = |text: &str| find(text).map(|version| version.to_string());
        let nextest = "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143";
        assert_eq!(found(nextest).as_deref(), Some("0.9.143"));
        assert_eq!(found("v20.20.2\n").as_deref(), Some("20.20.2"));
        assert_eq!(found("tool 1.2.3-beta.1").as_deref(), Some("1.2.3-beta.1"));
        assert_eq!(found("no such command: nextest"), None);
    }

    #[test]
    fn compatibility_follows_cargos_caret() {
        let meets = |found: &str, requirement: &str| meets(&found.parse().expect("a version"), requirement);
        assert!(meets("0.9.143", "0.9.100"));
        assert!(!meets("0.9.99", "0.9.100"));
        assert!(!meets("0.10.0", "0.9.100"));
        assert!(meets("2.1.0", "2.0.0"));
        assert!(!meets("3.0.0", "2.0.0"));
    }
}
