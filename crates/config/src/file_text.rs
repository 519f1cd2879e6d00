//! The text of the whole file, for an editor: read, checked and saved.

use crate::entry_place::version;
use crate::parse::parse;
use crate::text::{MAX_BYTES, Text, problem};
use crate::{Config, ConfigError, ConfigFile, Diagnostic, atomic_write, hidden_values, line_ends};

/// The file as an editor shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// The text, with `\n` at the end of each line and [`HIDDEN`](crate::HIDDEN) in place of each secret in plain text.
    /// Comments are not searched. A file that is not JSON is shown with its secrets, because they cannot be found.
    pub text: String,
    /// The digest of the file. A missing file has that of an empty one.
    pub version: String,
}

/// The result of the check of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextCheck {
    /// All errors, then all warnings, each in the order of the text.
    pub problems: Vec<Diagnostic>,
    /// Whether the text can be saved. Entries with errors can: the other entries are used.
    pub can_be_saved: bool,
}

impl ConfigFile {
    /// Returns the text of the file. Fails if the file is not UTF-8, or too large.
    pub fn text(&self) -> Result<FileText, ConfigError> {
        let bytes = self.read()?.unwrap_or_default();
        let text = Text::from_bytes(&bytes).map_err(|diagnostic| self.invalid(diagnostic))?;
        Ok(shown(&text.body, &bytes))
    }

    /// Checks a text that may replace the file, as [`ConfigFile::check`] checks the file. Writes nothing.
    pub fn check_text(&self, text: &str) -> Result<TextCheck, ConfigError> {
        if let Err(problem) = check_size(text) {
            return Ok(TextCheck { problems: vec![problem], can_be_saved: false });
        }
        let config = match parse(text, self.context()) {
            Ok(config) => config,
            Err(problem) => return Ok(TextCheck { problems: vec![problem], can_be_saved: false }),
        };
        let bytes = self.read()?.unwrap_or_default();
        let old = Text::from_bytes(&bytes).unwrap_or_default();
        let misplaced = hidden_values::restore(text, &old.body).err().unwrap_or_default();
        let can_be_saved = misplaced.is_empty();
        let mut problems: Vec<_> = misplaced.into_iter().chain(config.errors().cloned()).collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.extend(config.warnings);
        Ok(TextCheck { problems, can_be_saved })
    }

    /// Replaces the text of the file, if the file still has this version. Hidden values stay as they are. The file keeps
    /// its byte order mark, line ends and permissions.
    pub fn save_text(&self, text: &str, expected: &str) -> Result<(Config, FileText), ConfigError> {
        let not_saved = |diagnostic| ConfigError::InvalidText { diagnostic: Box::new(diagnostic) };
        check_size(text).map_err(not_saved)?;
        let target =
            atomic_write::resolve_links(self.path()).map_err(|source| self.io("resolving", source))?;
        let _lock =
            atomic_write::lock_folder(&target).map_err(|source| self.io("locking the folder of", source))?;
        let before = self.read()?;
        let bytes = before.as_deref().unwrap_or_default();
        let changed = || ConfigError::FileChanged { path: self.path().to_owned() };
        if version(bytes) != expected {
            return Err(changed());
        }
        let old = Text::from_bytes(bytes).map_err(|diagnostic| self.invalid(diagnostic))?;
        // A hidden value keeps its own line breaks.
        let shown_before = hidden_values::hide(&old.body);
        let text = line_ends::with_ends_of(&shown_before, text, line_ends::first(&shown_before));
        let body = hidden_values::restore(&text, &old.body)
            .map_err(|problems| problems.into_iter().next().map_or_else(changed, not_saved))?;
        let config = parse(&body, self.context()).map_err(not_saved)?;
        let after = Text { body, ..old };
        let bytes = after.to_bytes();
        // The restored values can be longer than the hidden ones.
        if bytes.len() as u64 > MAX_BYTES {
            return Err(not_saved(too_large()));
        }
        if before.as_ref() != Some(&bytes) {
            let prepared =
                atomic_write::prepare(&target, &bytes).map_err(|source| self.io("writing", source))?;
            if self.read()? != before {
                return Err(changed());
            }
            prepared.commit(&target).map_err(|source| self.io("writing", source))?;
        }
        Ok((config, shown(&after.body, &bytes)))
    }
}

fn shown(body: &str, bytes: &[u8]) -> FileText {
    let text = line_ends::with_newlines(&hidden_values::hide(body));
    FileText { text, version: version(bytes) }
}

fn check_size(text: &str) -> Result<(), Diagnostic> {
    if text.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Diagnostic {
    problem("", 0, "the file is larger than 4 MiB", Some("Remove what you do not need."))
}
