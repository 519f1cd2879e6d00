//! The dependencies of the rpm package: sonames with symbol versions, which are the same on every distribution.
//!
//! rpm's own tool for this is elfdeps. objdump, which comes with every compiler, prints the same information.

use std::collections::BTreeSet;

use super::{PROGRAMS, UNDETECTED};
use crate::command;
use crate::repository::Repository;

/// The requirements of the programs in `profile`; none without objdump.
pub fn read(repository: &Repository, profile: &str) -> Option<Vec<String>> {
    let mut requirements: BTreeSet<String> = UNDETECTED.map(str::to_owned).into();
    for name in PROGRAMS {
        let program = repository.built(profile, name);
        let mut objdump = repository.command("objdump");
        // The output is parsed, so it must not be translated.
        let headers = command::try_output(objdump.arg("--private-headers").arg(program).env("LC_ALL", "C"))?;
        requirements.extend(libraries(&headers, bits()));
    }
    Some(requirements.into_iter().collect())
}

/// The suffix that rpm adds to the names of 64-bit libraries.
fn bits() -> &'static str {
    if cfg!(target_pointer_width = "64") { "(64bit)" } else { "" }
}

/// Reads the libraries and their symbol versions. A line like `  NEEDED   libssl.so.3` names a library. The lines below
/// `  required from libssl.so.3:`, such as `    0x06702b20 0x00 16 OPENSSL_3.0.0`, name its versions.
fn libraries(headers: &str, bits: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut required_from = None;
    for line in headers.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["NEEDED", library] => found.push(format!("{library}(){bits}")),
            ["required", "from", library] => required_from = library.strip_suffix(':'),
            [hash, _, _, version] if hash.starts_with("0x") => {
                found.extend(required_from.map(|library| format!("{library}({version}){bits}")));
            }
            _ => required_from = None,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sonames_and_their_versions_are_read() {
        let headers = "Dynamic Section:\n  NEEDED               libssl.so.3\n  NEEDED               libc.so.6\n  \
                       INIT                 0x00000000002a1000\n\nVersion Definitions:\n1 0x01 0x0b792650 own\n\n\
                       Version References:\n  required from libssl.so.3:\n    0x06702b20 0x00 16 OPENSSL_3.0.0\n  \
                       required from libc.so.6:\n    0x09691a75 0x00 03 GLIBC_2.2.5\n    0x069691b4 0x00 02 GLIBC_2.34\n\n";
        let expected = [
            "libssl.so.3()(64bit)",
            "libc.so.6()(64bit)",
            "libssl.so.3(OPENSSL_3.0.0)(64bit)",
            "libc.so.6(GLIBC_2.2.5)(64bit)",
            "libc.so.6(GLIBC_2.34)(64bit)",
        ];
        assert_eq!(libraries(headers, "(64bit)"), expected);
    }
}
