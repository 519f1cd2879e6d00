//! The paths that a command uses, and the engine options that follow from them.

use std::path::PathBuf;

use clap::Args;
use usher_api::ServerId;
use usher_config::{ConfigFile, Environment, Platform, config_path, runtime_dir, state_dir};
use usher_engine::EngineOptions;
use usher_ipc::{JoinOptions, Servers};
use usher_secrets::StoreKind;

/// The paths in use. A flag overrides its environment variable, which overrides the system's default.
#[derive(Debug, Args)]
pub struct Paths {
    /// Path to mcp.json [default: mcp.json in the config folder]
    #[arg(long, value_name = "FILE", env = "USHER_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Folder for registrations and discovered metadata; contains no secrets
    #[arg(long, value_name = "FOLDER", env = "USHER_STATE_DIR", global = true)]
    pub state_dir: Option<PathBuf>,
    /// Folder for the engine's lock and socket
    #[arg(long, value_name = "FOLDER", env = "USHER_RUNTIME_DIR", global = true, hide = true)]
    pub runtime_dir: Option<PathBuf>,
    /// Secret store: keychain, file:PATH or memory [default: keychain]
    #[arg(long, value_name = "STORE", env = "USHER_SECRET_STORE", global = true)]
    pub secret_store: Option<StoreKind>,
}

impl Paths {
    pub fn config_file(&self) -> ConfigFile {
        ConfigFile::new(or_default(&self.config, config_path), Environment::of_process())
    }

    pub fn state_dir(&self) -> PathBuf {
        or_default(&self.state_dir, state_dir)
    }

    pub fn runtime_dir(&self) -> PathBuf {
        or_default(&self.runtime_dir, runtime_dir)
    }

    /// Returns the options of an engine that runs in this command. `only` names the servers to run; `None` runs all.
    pub fn engine_options(&self, only: Option<Vec<ServerId>>) -> EngineOptions {
        let options = EngineOptions::new(
            self.config_file().path().to_owned(),
            self.state_dir(),
            self.runtime_dir(),
            self.secret_store.clone().unwrap_or_default(),
        );
        EngineOptions { only, ..options }
    }

    /// Returns the options for joining a running engine, which must have the same paths.
    pub fn join_options(&self, only: Option<Vec<ServerId>>) -> JoinOptions {
        let paths = usher_ipc::Paths {
            secret_store: self.secret_store.as_ref().map(StoreKind::to_string),
            ..self.paths_ignoring_store()
        };
        JoinOptions { paths: Some(paths), servers: only.map_or(Servers::All, Servers::Named), events: true }
    }

    /// Returns the paths that a running engine must share. Its secret store may differ.
    pub fn paths_ignoring_store(&self) -> usher_ipc::Paths {
        let config = self.config_file().path().to_owned();
        usher_ipc::Paths { config, state_dir: self.state_dir(), secret_store: None }
    }
}

fn or_default(path: &Option<PathBuf>, default: fn(&Environment, Platform) -> PathBuf) -> PathBuf {
    path.clone().unwrap_or_else(|| default(&Environment::of_process(), Platform::current()))
}
