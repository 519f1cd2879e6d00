//! What the person chose for this app: its look, and the private file instead of the keychain.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::Theme;
use usher_secrets::StoreKind;

use crate::kept;

/// Light or dark, or whatever the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Appearance {
    #[default]
    System,
    Light,
    Dark,
}

impl Appearance {
    /// `None` follows the system.
    pub fn theme(self) -> Option<Theme> {
        match self {
            Self::System => None,
            Self::Light => Some(Theme::Light),
            Self::Dark => Some(Theme::Dark),
        }
    }
}

/// The choices, and the file that keeps them: `shell.json` in the state folder.
pub struct Settings {
    path: PathBuf,
    chosen: Mutex<Chosen>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Chosen {
    appearance: Appearance,
    /// Secrets go to a private file, because the person said so.
    secrets_in_file: bool,
    /// That closing the window does not end the app was said once.
    told_of_tray: bool,
}

impl Settings {
    /// Reads what was chosen before.
    pub fn load(state_dir: &Path) -> Self {
        let path = state_dir.join("shell.json");
        let chosen = Mutex::new(kept::load(&path).unwrap_or_default());
        Self { path, chosen }
    }

    pub fn appearance(&self) -> Appearance {
        self.read().appearance
    }

    pub fn set_appearance(&self, appearance: Appearance) {
        self.change(|chosen| chosen.appearance = appearance);
    }

    /// The store to open where nothing else was said for this run.
    pub fn secret_store(&self) -> StoreKind {
        if self.read().secrets_in_file { self.secrets_file() } else { StoreKind::Keychain }
    }

    /// The private file that stands in for a keychain.
    pub fn secrets_file(&self) -> StoreKind {
        StoreKind::File(self.path.with_file_name("secrets.json"))
    }

    /// Remembers a choice of store; memory is a choice for one run and leaves no trace.
    pub fn set_secret_store(&self, kind: &StoreKind) {
        match kind {
            StoreKind::Keychain => self.change(|chosen| chosen.secrets_in_file = false),
            StoreKind::File(_) => self.change(|chosen| chosen.secrets_in_file = true),
            StoreKind::Memory => {}
        }
    }

    /// Whether the person was told that the app stays in the tray.
    pub fn knows_of_tray(&self) -> bool {
        self.read().told_of_tray
    }

    /// They are told now.
    pub fn told_of_tray(&self) {
        self.change(|chosen| chosen.told_of_tray = true);
    }

    fn read(&self) -> Chosen {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Chosen)) {
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut chosen);
        if let Err(error) = kept::save(&self.path, &*chosen) {
            tracing::warn!(path = %self.path.display(), %error, "a choice will not be remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::load(folder.path());
        assert_eq!(
            (settings.appearance(), settings.secret_store()),
            (Appearance::System, StoreKind::Keychain)
        );

        settings.set_appearance(Appearance::Dark);
        settings.set_secret_store(&settings.secrets_file());
        settings.set_secret_store(&StoreKind::Memory);
        assert!(!settings.knows_of_tray());
        settings.told_of_tray();

        let settings = Settings::load(folder.path());
        let file = StoreKind::File(folder.path().join("secrets.json"));
        assert_eq!((settings.appearance(), settings.secret_store()), (Appearance::Dark, file));
        assert!(settings.knows_of_tray());
    }
}
