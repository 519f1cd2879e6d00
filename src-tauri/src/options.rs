//! Where this run finds its things: flags, then the environment, then the system's customs.

use std::path::PathBuf;

use clap::Parser;
use usher_config::{Environment, Platform};
use usher_secrets::StoreKind;

/// Signs you in to the services your AI tools use.
#[derive(Debug, Parser)]
#[command(name = "usher-desktop", version, about = "Signs you in to the services your AI tools use")]
pub struct Options {
    /// The file mcp.json.
    #[arg(long, env = "USHER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of what Usher learned and remembers; no secrets.
    #[arg(long, env = "USHER_STATE_DIR", value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// The folder of the lock and the sockets.
    #[arg(long, env = "USHER_RUNTIME_DIR", value_name = "FOLDER")]
    runtime_dir: Option<PathBuf>,
    /// Where secrets are kept: keychain, file:PATH or memory.
    #[arg(long, env = "USHER_SECRET_STORE", value_name = "KIND")]
    secret_store: Option<StoreKind>,
    /// Starts in the tray, without a window where there is a tray.
    #[arg(long)]
    pub hidden: bool,
}

/// Where things lie, every question answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    pub config: PathBuf,
    pub state_dir: PathBuf,
    pub runtime_dir: PathBuf,
    /// What was said for this run; `None` leaves it to what the person chose before.
    pub secret_store: Option<StoreKind>,
}

impl Options {
    /// Fills in what was not said.
    pub fn places(self, environment: &Environment) -> Places {
        let platform = Platform::current();
        let place = |said: Option<PathBuf>, usual: fn(&Environment, Platform) -> PathBuf| match said {
            // A process that comes later may run in another folder.
            Some(path) => std::path::absolute(&path).unwrap_or(path),
            None => usual(environment, platform),
        };
        Places {
            config: place(self.config, usher_config::config_path),
            state_dir: place(self.state_dir, usher_config::state_dir),
            runtime_dir: place(self.runtime_dir, usher_config::runtime_dir),
            secret_store: self.secret_store,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn flags_win_and_the_rest_is_filled_in() {
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
        let places = options.places(&environment);
        assert_eq!(places.config, Path::new("/c/mcp.json"));
        assert_eq!(places.state_dir, Path::new("/s"));
        assert_eq!(places.secret_store, Some(StoreKind::File("/s/secrets.json".into())));
        if cfg!(target_os = "linux") {
            assert_eq!(places.runtime_dir, Path::new("/run/user/7/usher"));
        }
    }

    #[test]
    fn a_store_of_no_kind_is_refused() {
        assert!(Options::try_parse_from(["usher-desktop", "--secret-store", "cloud"]).is_err());
    }
}
