//! The command line's options, and the paths of this run: flags first, then environment variables, then the defaults.

use std::path::PathBuf;

use clap::Parser;
use usher_config::{Environment, Platform};
use usher_secrets::StoreKind;

/// The flag for a start at login: no window if there is a tray.
pub const HIDDEN_FLAG: &str = "--hidden";

/// Signs you in to the services your AI tools use.
#[derive(Debug, Parser)]
#[command(name = "usher-desktop", version, about = "Signs you in to the services your AI tools use")]
pub struct Options {
    /// The list of services: an mcp.json file.
    #[arg(long, env = "USHER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder for registrations and discovered metadata. It contains no secrets.
    #[arg(long, env = "USHER_STATE_DIR", value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// The folder for the lock and the sockets.
    #[arg(long, env = "USHER_RUNTIME_DIR", value_name = "FOLDER")]
    runtime_dir: Option<PathBuf>,
    /// The secret store: keychain, file:PATH or memory.
    #[arg(long, env = "USHER_SECRET_STORE", value_name = "STORE")]
    secret_store: Option<StoreKind>,
    /// Start in the tray. Without a tray the window opens.
    #[arg(long)]
    pub hidden: bool,
}

/// The paths of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub config: PathBuf,
    pub state_dir: PathBuf,
    pub runtime_dir: PathBuf,
    /// The store chosen for this run. `None` uses the person's setting.
    pub secret_store: Option<StoreKind>,
}

impl Options {
    /// Returns the paths, with the defaults for those that are not set.
    pub fn paths(self, environment: &Environment) -> Paths {
        let platform = Platform::current();
        let path = |given: Option<PathBuf>, default: fn(&Environment, Platform) -> PathBuf| match given {
            // A process with another working directory may read the path.
            Some(path) => std::path::absolute(&path).unwrap_or(path),
            None => default(environment, platform),
        };
        Paths {
            config: path(self.config, usher_config::config_path),
            state_dir: path(self.state_dir, usher_config::state_dir),
            runtime_dir: path(self.runtime_dir, usher_config::runtime_dir),
            secret_store: self.secret_store,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn flags_override_the_defaults() {
        let options = Options::try_parse_from([
            "usher-desktop",
            "--config=/c/mcp.json",
            "--state-dir",
            "/s",
            "--secret-store",
            "file:/s/secrets.json",
        ])
        .unwrap();
        let environment = Environment::from_iter([("HOME", "/home/ada"), ("XDG_RUNTIME_DIR", "/run/user/7")]);
        let paths = options.paths(&environment);
        assert_eq!(paths.config, Path::new("/c/mcp.json"));
        assert_eq!(paths.state_dir, Path::new("/s"));
        assert_eq!(paths.secret_store, Some(StoreKind::File("/s/secrets.json".into())));
        if cfg!(target_os = "linux") {
            assert_eq!(paths.runtime_dir, Path::new("/run/user/7/usher"));
        }
    }

    #[test]
    fn an_unknown_kind_of_store_is_rejected() {
        assert!(Options::try_parse_from(["usher-desktop", "--secret-store", "cloud"]).is_err());
    }
}
