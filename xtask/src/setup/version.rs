//! Version numbers in the output of programs.

/// The first `major.minor.patch` in a text ("cargo-deny 0.20.2", "v20.20.2").
pub fn find(text: &str) -> Option<[u32; 3]> {
    text.split_whitespace().find_map(parse)
}

fn parse(word: &str) -> Option<[u32; 3]> {
    let mut parts = word.trim_start_matches('v').splitn(3, '.');
    let mut next = || {
        let part = parts.next()?;
        let digits = part.find(|c: char| !c.is_ascii_digit()).map_or(part, |end| &part[..end]);
        digits.parse().ok()
    };
    Some([next()?, next()?, next()?])
}

/// Whether `found` is compatible with `oldest`, by the rule of Cargo's `^`.
pub fn is_compatible(found: [u32; 3], oldest: [u32; 3]) -> bool {
    let same = if oldest[0] == 0 { found[..2] == oldest[..2] } else { found[0] == oldest[0] };
    same && found >= oldest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_the_output_of_programs() {
        assert_eq!(find("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143"), Some([0, 9, 143]));
        assert_eq!(find("v20.20.2\n"), Some([20, 20, 2]));
        assert_eq!(find("tool 1.2.3-beta.1"), Some([1, 2, 3]));
        assert_eq!(find("no such command: nextest"), None);
    }

    #[test]
    fn compatibility_follows_cargos_caret() {
        assert!(is_compatible([0, 9, 143], [0, 9, 100]));
        assert!(!is_compatible([0, 9, 99], [0, 9, 100]));
        assert!(!is_compatible([0, 10, 0], [0, 9, 100]));
        assert!(is_compatible([2, 1, 0], [2, 0, 0]));
        assert!(!is_compatible([3, 0, 0], [2, 0, 0]));
    }
}
