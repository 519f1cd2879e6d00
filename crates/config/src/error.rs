//! Errors from reading and changing `mcp.json`. After each of them, the file is unchanged.

use std::io;
use std::path::PathBuf;

use crate::Diagnostic;

/// A failed operation on the file. Messages never quote a header's value or a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is not a valid `mcp.json`. An error in an entry of `mcpServers` is not this error: the other entries
    /// remain usable.
    #[error("{} cannot be used: {diagnostic}", path.display())]
    Invalid { path: PathBuf, diagnostic: Box<Diagnostic> },
    /// The file or its folder could not be read or written.
    #[error("{doing} {} failed: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("a server named `{name}` already exists")]
    ServerExists { name: String },
    #[error("there is no server named `{name}`")]
    NoSuchServer { name: String },
    /// The entry to change has an error.
    #[error("{name} has an error in mcp.json, {diagnostic}")]
    BrokenServer { name: String, diagnostic: Box<Diagnostic> },
    /// The entry to replace is not the one that was read.
    #[error("the entry of {name} was changed meanwhile; nothing was written")]
    EntryChanged { name: String },
    /// The file to replace is not the one that was read.
    #[error("{} was changed meanwhile; nothing was written", path.display())]
    FileChanged { path: PathBuf },
    /// The text that replaces the file is not the JSON of an `mcp.json`.
    #[error("the text cannot be saved: {diagnostic}")]
    InvalidText { diagnostic: Box<Diagnostic> },
    /// The change would make the entry invalid.
    #[error("the server cannot be saved: {why}")]
    InvalidServer { why: String, hint: Option<String> },
    /// Another program changed the file during every attempt.
    #[error("another program keeps changing {}; nothing was written", path.display())]
    KeepsChanging { path: PathBuf },
}

impl ConfigError {
    /// The problem and its position, if the text is invalid.
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Invalid { diagnostic, .. }
            | Self::BrokenServer { diagnostic, .. }
            | Self::InvalidText { diagnostic } => Some(diagnostic),
            Self::Io { .. }
            | Self::ServerExists { .. }
            | Self::NoSuchServer { .. }
            | Self::EntryChanged { .. }
            | Self::FileChanged { .. }
            | Self::InvalidServer { .. }
            | Self::KeepsChanging { .. } => None,
        }
    }

    /// The line of the problem, counted from 1.
    pub fn line(&self) -> Option<u32> {
        self.diagnostic().map(|diagnostic| diagnostic.line)
    }

    /// The column of the problem in characters, counted from 1.
    pub fn column(&self) -> Option<u32> {
        self.diagnostic().map(|diagnostic| diagnostic.column)
    }

    /// The next step.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { diagnostic, .. }
            | Self::BrokenServer { diagnostic, .. }
            | Self::InvalidText { diagnostic } => diagnostic.hint.clone(),
            Self::Io { path, .. } => Some(format!(
                "Check that you have permission to read and write {} and its folder.",
                path.display()
            )),
            Self::ServerExists { .. } => Some("Choose another name, or remove that server first.".to_owned()),
            Self::NoSuchServer { .. } => Some("Run `usher list` to see the names.".to_owned()),
            Self::EntryChanged { .. } => Some("Open the entry again to edit it as it is now.".to_owned()),
            Self::FileChanged { .. } => Some("Compare your text with the file as it is now.".to_owned()),
            Self::InvalidServer { hint, .. } => hint.clone(),
            Self::KeepsChanging { .. } => {
                Some("Close the other program that writes the file, then try again.".to_owned())
            }
        }
    }
}
