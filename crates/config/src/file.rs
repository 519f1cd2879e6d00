//! The file `mcp.json`: read, checked, changed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::edit::Edit;
use crate::parse::{Parsed, parse};
use crate::text::Text;
use crate::{Config, ConfigError, ConfigWatch, Diagnostic, Environment, NewServer, replace};

/// How often a change is made again because another program changed the file meanwhile.
const TRIES: usize = 5;

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
        self.parse(self.read()?.as_deref())
    }

    /// Everything there is to say about the file, errors first, each in the order of the file. Fails only
    /// where the file cannot be opened.
    pub fn check(&self) -> Result<Vec<Diagnostic>, ConfigError> {
        let Some(bytes) = self.read()? else { return Ok(Vec::new()) };
        Ok(match Text::from_bytes(&bytes) {
            Ok(text) => {
                let Parsed { config, errors } = parse(&text.body, &self.environment);
                errors.into_iter().chain(config.warnings).collect()
            }
            Err(diagnostic) => vec![diagnostic],
        })
    }

    /// Adds a server at the end; makes the file and its folder (0700) where they are missing.
    pub fn add(&self, name: &str, server: &NewServer) -> Result<Config, ConfigError> {
        self.edit(&Edit::Add { name, server })
    }

    /// Removes a server, and the comments on its own lines.
    pub fn remove(&self, name: &str) -> Result<Config, ConfigError> {
        self.edit(&Edit::Remove { name })
    }

    /// Turns a server off or on.
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Result<Config, ConfigError> {
        self.edit(&Edit::SetDisabled { name, disabled })
    }

    /// Sets the client that the person registered, in whatever spelling the server's entry has. The secret
    /// is a reference such as `{{corp_secret}}`; `None` removes the one that is there.
    pub fn set_client(
        &self,
        name: &str,
        client_id: &str,
        client_secret: Option<&str>,
    ) -> Result<Config, ConfigError> {
        self.edit(&Edit::SetClient { name, client_id, client_secret })
    }

    /// Begins to watch; the first change told is the first after this call.
    pub fn watch(&self) -> ConfigWatch {
        ConfigWatch::new(self.path.clone())
    }

    /// Reads, changes and writes, unless the file on disk is broken. Where it changed between reading and
    /// writing, the change is made to the new text.
    fn edit(&self, edit: &Edit<'_>) -> Result<Config, ConfigError> {
        let target = replace::target(&self.path).map_err(|source| self.io("following", source))?;
        let _lock =
            replace::lock_folder(&target).map_err(|source| self.io("locking the folder of", source))?;
        for _ in 0..TRIES {
            let before = self.read()?;
            self.parse(before.as_deref())?;
            let text = match &before {
                Some(bytes) => Text::from_bytes(bytes).map_err(|diagnostic| self.invalid(diagnostic))?,
                None => Text::default(),
            };
            let body = edit.apply(&text.body, &self.environment)?;
            let after = Text { body: end_with_newline(&text.body, body), ..text }.to_bytes();
            if before.as_deref() == Some(&after[..]) {
                return self.parse(Some(&after));
            }
            let prepared = replace::prepare(&target, &after).map_err(|source| self.io("writing", source))?;
            if self.read()? == before {
                prepared.commit(&target).map_err(|source| self.io("writing", source))?;
                return self.parse(Some(&after));
            }
        }
        Err(ConfigError::KeepsChanging { path: self.path.clone() })
    }

    fn read(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("reading", error)),
        }
    }

    fn parse(&self, bytes: Option<&[u8]>) -> Result<Config, ConfigError> {
        Text::from_bytes(bytes.unwrap_or_default())
            .and_then(|text| parse(&text.body, &self.environment).into_config())
            .map_err(|diagnostic| self.invalid(diagnostic))
    }

    fn invalid(&self, diagnostic: Diagnostic) -> ConfigError {
        ConfigError::Invalid { path: self.path.clone(), diagnostic: Box::new(diagnostic) }
    }

    fn io(&self, doing: &'static str, source: io::Error) -> ConfigError {
        ConfigError::Io { doing, path: self.path.clone(), source }
    }
}

/// A file of our own ends with a line end; one of the person's stays as it was.
fn end_with_newline(before: &str, mut after: String) -> String {
    if before.trim().is_empty() && !after.ends_with('\n') {
        after.push('\n');
    }
    after
}
