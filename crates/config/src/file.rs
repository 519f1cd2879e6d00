//! Reads, checks and changes the file `mcp.json`.

use std::io;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::edit::Edit;
use crate::format::{FormatReport, format};
use crate::limited_read::read_limited;
use crate::parse::{ParseContext, parse};
use crate::text::{MAX_BYTES, Text};
use crate::{Config, ConfigError, ConfigWatch, Diagnostic, Environment, NewServer, atomic_write};

/// The maximum number of attempts at a change while another program also changes the file.
const MAX_ATTEMPTS: usize = 5;

/// The person's `mcp.json`, which may be missing. Each call reads the file again.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    environment: Environment,
}

impl ConfigFile {
    /// Creates a handle to the file. When the file is read, `environment` resolves `${VAR}` in addresses, client IDs
    /// and audiences.
    pub fn new(path: impl Into<PathBuf>, environment: Environment) -> Self {
        Self { path: path.into(), environment }
    }

    /// The path that was passed to [`ConfigFile::new`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The environment that was passed to [`ConfigFile::new`], for [`Template::render`](crate::Template::render).
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Reads the file. A missing file is an empty config. An entry with an error is in [`Config::broken`]. Fails only if
    /// the file cannot be read, or is not the JSON of an `mcp.json`.
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.parse(self.read()?.as_deref())
    }

    /// Returns all errors, then all warnings, each in the order of the file. Fails only if the file cannot be
    /// read.
    pub fn check(&self) -> Result<Vec<Diagnostic>, ConfigError> {
        let Some(bytes) = self.read()? else { return Ok(Vec::new()) };
        Ok(match Text::from_bytes(&bytes) {
            Ok(text) => match parse(&text.body, self.context()) {
                Ok(config) => config.errors().cloned().chain(config.warnings.iter().cloned()).collect(),
                Err(diagnostic) => vec![diagnostic],
            },
            Err(diagnostic) => vec![diagnostic],
        })
    }

    /// Adds a server at the end, or in place of an untouched example of the same name. Creates a missing file and its
    /// folder (mode 0700).
    pub fn add(&self, name: &str, server: &NewServer) -> Result<Config, ConfigError> {
        self.edit(&Edit::Add { name, server })
    }

    /// Returns the error that [`ConfigFile::add`] would return, without changing the file.
    pub fn check_add(&self, name: &str, server: &NewServer) -> Result<(), ConfigError> {
        self.check_edit(&Edit::Add { name, server })
    }

    /// Removes a server and the comments on its lines. The entry may have an error.
    pub fn remove(&self, name: &str) -> Result<Config, ConfigError> {
        self.edit(&Edit::Remove { name })
    }

    /// Disables or enables a server.
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Result<Config, ConfigError> {
        self.edit(&Edit::SetDisabled { name, disabled })
    }

    /// Sets a pre-registered client under the keys that the server's entry already uses. The secret is a
    /// placeholder such as `{{corp_secret}}`; `None` removes an existing one.
    pub fn set_client(
        &self,
        name: &str,
        client_id: &str,
        client_secret: Option<&str>,
    ) -> Result<Config, ConfigError> {
        self.edit(&Edit::SetClient { name, client_id, client_secret })
    }

    /// Watches the file for changes after this call.
    pub fn watch(&self) -> ConfigWatch {
        ConfigWatch::new(self.path.clone())
    }

    /// Converts the valid entries to Usher's own spelling. Comments, order and unknown keys stay, and no entry changes
    /// its meaning.
    pub fn format(&self) -> Result<FormatReport, ConfigError> {
        let (_, report) = self.change(|body, before| format(body, before, self.context()))?;
        Ok(report)
    }

    /// Returns the report of [`ConfigFile::format`], without changing the file.
    pub fn check_format(&self) -> Result<FormatReport, ConfigError> {
        let bytes = self.read()?;
        let before = self.parse(bytes.as_deref())?;
        let text =
            Text::from_bytes(&bytes.unwrap_or_default()).map_err(|diagnostic| self.invalid(diagnostic))?;
        format(&text.body, &before, self.context()).map(|(_, report)| report)
    }

    pub(crate) fn edit(&self, edit: &Edit<'_>) -> Result<Config, ConfigError> {
        let (config, ()) = self.change(|body, before| Ok((edit.apply(body, before, self.context())?, ())))?;
        Ok(config)
    }

    /// Returns the error of an edit, without changing the file.
    pub(crate) fn check_edit(&self, edit: &Edit<'_>) -> Result<(), ConfigError> {
        let bytes = self.read()?;
        let before = self.parse(bytes.as_deref())?;
        let text =
            Text::from_bytes(&bytes.unwrap_or_default()).map_err(|diagnostic| self.invalid(diagnostic))?;
        edit.apply(&text.body, &before, self.context()).map(drop)
    }

    /// Changes the text and writes the result. If another program changed the file in the meantime, the change is
    /// applied to the new text. A file that is not the JSON of an `mcp.json` is not changed.
    fn change<T>(
        &self,
        change: impl Fn(&str, &Config) -> Result<(String, T), ConfigError>,
    ) -> Result<(Config, T), ConfigError> {
        let target =
            atomic_write::resolve_links(&self.path).map_err(|source| self.io("resolving", source))?;
        let _lock =
            atomic_write::lock_folder(&target).map_err(|source| self.io("locking the folder of", source))?;
        for _ in 0..MAX_ATTEMPTS {
            let before = self.read()?;
            let config = self.parse(before.as_deref())?;
            let text = match &before {
                Some(bytes) => Text::from_bytes(bytes).map_err(|diagnostic| self.invalid(diagnostic))?,
                None => Text::default(),
            };
            let (body, outcome) = change(&text.body, &config)?;
            if body == text.body {
                return Ok((config, outcome));
            }
            let after = Text { body: end_with_newline(&text.body, body), ..text }.to_bytes();
            if after.len() as u64 > MAX_BYTES {
                return Err(ConfigError::InvalidServer {
                    why: "mcp.json would be larger than 4 MiB".to_owned(),
                    hint: Some("Shorten the entry, or remove others.".to_owned()),
                });
            }
            let prepared =
                atomic_write::prepare(&target, &after).map_err(|source| self.io("writing", source))?;
            if self.read()? == before {
                prepared.commit(&target).map_err(|source| self.io("writing", source))?;
                return Ok((self.parse(Some(&after))?, outcome));
            }
        }
        Err(ConfigError::KeepsChanging { path: self.path.clone() })
    }

    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        match read_limited(&self.path, MAX_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("reading", error)),
        }
    }

    pub(crate) fn parse(&self, bytes: Option<&[u8]>) -> Result<Config, ConfigError> {
        Text::from_bytes(bytes.unwrap_or_default())
            .and_then(|text| parse(&text.body, self.context()))
            .map_err(|diagnostic| self.invalid(diagnostic))
    }

    pub(crate) fn context(&self) -> ParseContext<'_> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        ParseContext { environment: &self.environment, folder }
    }

    pub(crate) fn invalid(&self, diagnostic: Diagnostic) -> ConfigError {
        ConfigError::Invalid { path: self.path.clone(), diagnostic: Box::new(diagnostic) }
    }

    pub(crate) fn io(&self, doing: &'static str, source: io::Error) -> ConfigError {
        ConfigError::Io { doing, path: self.path.clone(), source }
    }
}

/// Adds a newline at the end if the file was missing or blank. Otherwise, the end of the file is unchanged.
fn end_with_newline(before: &str, mut after: String) -> String {
    if before.trim().is_empty() && !after.ends_with('\n') {
        after.push('\n');
    }
    after
}
