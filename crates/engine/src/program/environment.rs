//! The environment of a program: a few variables of Usher's own environment, and those of the entry.

use std::ffi::OsStr;

/// The variables that a program gets from Usher's environment. The values of others may be secret, or change how the
/// program runs. The list is that of the MCP SDKs, with further variables for locales, folders, proxies, certificates
/// and the desktop session.
const INHERITED: [&str; 47] = [
    "HOME",
    "LOGNAME",
    "SHELL",
    "TERM",
    "USER",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TMP",
    "TEMP",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "DOCKER_HOST",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
    "APPDATA",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMDATA",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "USERNAME",
    "USERPROFILE",
    "COMSPEC",
    "WINDIR",
    "ALLUSERSPROFILE",
    "COMMONPROGRAMFILES",
];

/// The prefixes of further inherited variables.
const INHERITED_PREFIXES: [&str; 2] = ["LC_", "XDG_"];

/// Returns whether a program gets this variable from Usher's environment.
pub(super) fn is_inherited(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let is_known =
        |known: &&str| if cfg!(windows) { known.eq_ignore_ascii_case(name) } else { *known == name };
    // Some shells export functions in this form.
    let is_function = value.as_encoded_bytes().starts_with(b"()");
    !is_function
        && (INHERITED.iter().any(is_known)
            || INHERITED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_variables_are_inherited() {
        for (name, value, expected) in [
            ("HOME", "/home/ada", true),
            ("LC_ALL", "C", true),
            ("XDG_RUNTIME_DIR", "/run", true),
            ("https_proxy", "http://proxy", true),
            ("SHELL", "() { :; }", false),
            ("GITHUB_TOKEN", "ghp_1", false),
            ("NODE_OPTIONS", "--require x", false),
            ("LD_LIBRARY_PATH", "/opt", false),
            ("APPIMAGE", "/opt/usher", false),
            ("USHER_SECRET_STORE", "memory", false),
        ] {
            assert_eq!(is_inherited(name.as_ref(), value.as_ref()), expected, "{name}");
        }
    }
}
