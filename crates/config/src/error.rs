//! Why `mcp.json` could not be read or changed. Whatever it was, the file is as it was before.

use std::io;
use std::path::PathBuf;

use crate::Diagnostic;

/// Messages name the file, never its contents.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is not what `mcp.json` must be.
    #[error("{} cannot be used: {diagnostic}", path.display())]
    Invalid { path: PathBuf, diagnostic: Box<Diagnostic> },
    /// The file or its folder could not be read or written.
    #[error("{doing} {} failed: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// Adding a name that is taken.
    #[error("there already is a server named `{name}`")]
    ServerExists { name: String },
    /// Changing a server that is not there.
    #[error("there is no server named `{name}`")]
    NoSuchServer { name: String },
    /// The server to add would make the file invalid.
    #[error("the server cannot be added: {why}")]
    InvalidServer { why: String, hint: Option<String> },
    /// Another program kept changing the file while we wanted to.
    #[error("{} keeps changing; nothing was written", path.display())]
    KeepsChanging { path: PathBuf },
}

impl ConfigError {
    /// The place and the words, where the text is at fault.
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Invalid { diagnostic, .. } => Some(diagnostic),
            Self::Io { .. }
            | Self::ServerExists { .. }
            | Self::NoSuchServer { .. }
            | Self::InvalidServer { .. }
            | Self::KeepsChanging { .. } => None,
        }
    }

    /// 1-based.
    pub fn line(&self) -> Option<u32> {
        self.diagnostic().map(|diagnostic| diagnostic.line)
    }

    /// 1-based, in characters.
    pub fn column(&self) -> Option<u32> {
        self.diagnostic().map(|diagnostic| diagnostic.column)
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { diagnostic, .. } => diagnostic.hint.clone(),
            Self::Io { path, .. } => {
                Some(format!("Check that you may read and write {} and its folder.", path.display()))
            }
            Self::ServerExists { .. } => Some("Choose another name, or remove that server first.".to_owned()),
            Self::NoSuchServer { .. } => Some("`usher list` shows the names.".to_owned()),
            Self::InvalidServer { hint, .. } => hint.clone(),
            Self::KeepsChanging { .. } => {
                Some("Close what else is writing the file, then try again.".to_owned())
            }
        }
    }
}
