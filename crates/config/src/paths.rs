//! The folders that Usher uses on this system. The caller handles overrides (`--config`, `USHER_CONFIG`, …).

use std::path::{Path, PathBuf};

use crate::Environment;

const NAME: &str = "usher";

/// The platform whose conventions apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// The XDG base directory specification.
    Unix,
    MacOs,
    Windows,
}

impl Platform {
    /// The platform that this program was built for.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Unix
        }
    }
}

/// The folder of `mcp.json`: `~/.config/usher`, `~/Library/Application Support/usher`, `%APPDATA%\usher`.
pub fn config_dir(environment: &Environment, platform: Platform) -> PathBuf {
    match platform {
        Platform::Unix => xdg(environment, "XDG_CONFIG_HOME", ".config"),
        Platform::MacOs => home(environment).join("Library/Application Support"),
        Platform::Windows => windows(environment, "APPDATA", "Roaming"),
    }
    .join(NAME)
}

/// The path of `mcp.json` in [`config_dir`].
pub fn config_path(environment: &Environment, platform: Platform) -> PathBuf {
    config_dir(environment, platform).join("mcp.json")
}

/// The folder of Usher's state files: `~/.local/state/usher`, `~/Library/Application Support/usher/state`,
/// `%LOCALAPPDATA%\usher\state`.
pub fn state_dir(environment: &Environment, platform: Platform) -> PathBuf {
    match platform {
        Platform::Unix => xdg(environment, "XDG_STATE_HOME", ".local/state").join(NAME),
        Platform::MacOs => home(environment).join("Library/Application Support").join(NAME).join("state"),
        Platform::Windows => windows(environment, "LOCALAPPDATA", "Local").join(NAME).join("state"),
    }
}

/// The folder of the lock and the sockets: `$XDG_RUNTIME_DIR/usher`, else `run` in [`state_dir`]. It is never under
/// `/tmp`, where another user could create the folder first.
pub fn runtime_dir(environment: &Environment, platform: Platform) -> PathBuf {
    match (platform, environment.absolute_path("XDG_RUNTIME_DIR")) {
        (Platform::Unix, Some(runtime)) => runtime.join(NAME),
        (Platform::Unix | Platform::MacOs | Platform::Windows, _) => {
            state_dir(environment, platform).join("run")
        }
    }
}

fn xdg(environment: &Environment, variable: &str, in_home: &str) -> PathBuf {
    environment.absolute_path(variable).unwrap_or_else(|| home(environment).join(in_home))
}

fn windows(environment: &Environment, variable: &str, in_app_data: &str) -> PathBuf {
    match environment.get(variable) {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        Some(_) | None => home(environment).join("AppData").join(in_app_data),
    }
}

/// Returns `HOME`, else `USERPROFILE` (Windows), else the home folder that the system reports.
fn home(environment: &Environment) -> PathBuf {
    environment
        .absolute_path("HOME")
        .or_else(|| environment.get("USERPROFILE").map(PathBuf::from))
        .or_else(std::env::home_dir)
        .unwrap_or_else(|| Path::new(".").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_variables_the_default_folders_in_home_are_used() {
        let environment = Environment::from_iter([("HOME", "/home/ada")]);
        assert_eq!(config_path(&environment, Platform::Unix), Path::new("/home/ada/.config/usher/mcp.json"));
        assert_eq!(state_dir(&environment, Platform::Unix), Path::new("/home/ada/.local/state/usher"));
        assert_eq!(runtime_dir(&environment, Platform::Unix), Path::new("/home/ada/.local/state/usher/run"));
        let support = Path::new("/home/ada/Library/Application Support/usher");
        assert_eq!(config_dir(&environment, Platform::MacOs), support);
        assert_eq!(runtime_dir(&environment, Platform::MacOs), support.join("state/run"));
    }

    #[test]
    fn xdg_variables_are_used_if_they_are_absolute() {
        let environment = Environment::from_iter([
            ("HOME", "/home/ada"),
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_STATE_HOME", "relative"),
            ("XDG_RUNTIME_DIR", "/run/user/1000"),
        ]);
        assert_eq!(config_dir(&environment, Platform::Unix), Path::new("/c/usher"));
        assert_eq!(state_dir(&environment, Platform::Unix), Path::new("/home/ada/.local/state/usher"));
        assert_eq!(runtime_dir(&environment, Platform::Unix), Path::new("/run/user/1000/usher"));
    }

    #[test]
    fn windows_has_its_own_variables() {
        let environment = Environment::from_iter([("APPDATA", "C:/R"), ("LOCALAPPDATA", ""), ("HOME", "/h")]);
        assert_eq!(config_dir(&environment, Platform::Windows), Path::new("C:/R/usher"));
        assert_eq!(state_dir(&environment, Platform::Windows), Path::new("/h/AppData/Local/usher/state"));
    }
}
