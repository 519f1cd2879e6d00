//! The file `mcp.json`.

use std::path::{Path, PathBuf};

use crate::{Config, ConfigError, ConfigWatch, Diagnostic, Environment, NewServer};

/// The person's `mcp.json`, there or not. Every call reads it anew.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    environment: Environment,
}

impl ConfigFile {
    /// `environment` fills `${VAR}` in addresses.
    pub fn new(path: impl Into<PathBuf>, environment: Environment) -> Self {
        Self { path: path.into(), environment }
    }

    /// Where it lies, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The environment it was given, for [`Template::render`](crate::Template::render).
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Reads the file; a missing one is an empty config.
    pub fn load(&self) -> Result<Config, ConfigError> {
        Ok(Config::default())
    }

    /// Everything there is to say about the file, errors first.
    pub fn check(&self) -> Result<Vec<Diagnostic>, ConfigError> {
        Ok(Vec::new())
    }

    /// Adds a server at the end.
    pub fn add(&self, name: &str, _server: &NewServer) -> Result<Config, ConfigError> {
        Err(ConfigError::ServerExists { name: name.to_owned() })
    }

    /// Removes a server.
    pub fn remove(&self, name: &str) -> Result<Config, ConfigError> {
        Err(ConfigError::NoSuchServer { name: name.to_owned() })
    }

    /// Turns a server off or on.
    pub fn set_disabled(&self, name: &str, _disabled: bool) -> Result<Config, ConfigError> {
        Err(ConfigError::NoSuchServer { name: name.to_owned() })
    }

    /// Begins to watch; the first change told is the first after this call.
    pub fn watch(&self) -> ConfigWatch {
        ConfigWatch::new(self.path.clone())
    }
}
