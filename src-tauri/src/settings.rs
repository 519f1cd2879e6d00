//! The person's choices for this app: its appearance, and where secrets are stored.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::Theme;
use usher_secrets::StoreKind;

use crate::state_file;

/// Light, dark, or the system's choice.
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

/// The choices, stored in `shell.json` in the state folder.
pub struct Settings {
    path: PathBuf,
    chosen: Mutex<Chosen>,
    /// The store of this run. A flag, or the choice of memory, sets it for this run only.
    secret_store: Mutex<StoreKind>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Chosen {
    appearance: Appearance,
    /// Whether the person chose a private file instead of the keychain.
    secrets_in_file: bool,
    /// Whether a notification already said that the app keeps running in the tray.
    told_of_tray: bool,
}

impl Settings {
    /// Reads the stored choices. `secret_store` overrides the stored choice for this run.
    pub fn load(state_dir: &Path, secret_store: Option<StoreKind>) -> Self {
        let path = state_dir.join("shell.json");
        let chosen: Chosen = state_file::load(&path).unwrap_or_default();
        let secret_store = secret_store.unwrap_or_else(|| {
            if chosen.secrets_in_file { secrets_file(&path) } else { StoreKind::Keychain }
        });
        Self { path, chosen: Mutex::new(chosen), secret_store: Mutex::new(secret_store) }
    }

    pub fn appearance(&self) -> Appearance {
        self.chosen().appearance
    }

    pub fn set_appearance(&self, appearance: Appearance) {
        self.change(|chosen| chosen.appearance = appearance);
    }

    /// Returns the secret store of this run.
    pub fn secret_store(&self) -> StoreKind {
        self.secret_store.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the private file that can replace the keychain.
    pub fn secrets_file(&self) -> StoreKind {
        secrets_file(&self.path)
    }

    /// Changes the secret store and saves the choice. Memory is a choice for this run only.
    pub fn set_secret_store(&self, kind: StoreKind) {
        match kind {
            StoreKind::Keychain => self.change(|chosen| chosen.secrets_in_file = false),
            StoreKind::File(_) => self.change(|chosen| chosen.secrets_in_file = true),
            StoreKind::Memory => {}
        }
        *self.secret_store.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }

    /// Whether a notification already said that the app keeps running in the tray.
    pub fn tray_notice_shown(&self) -> bool {
        self.chosen().told_of_tray
    }

    pub fn set_tray_notice_shown(&self) {
        self.change(|chosen| chosen.told_of_tray = true);
    }

    fn chosen(&self) -> MutexGuard<'_, Chosen> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Chosen)) {
        let mut chosen = self.chosen();
        change(&mut chosen);
        if let Err(error) = state_file::save(&self.path, &*chosen) {
            tracing::warn!(path = %self.path.display(), %error, "a setting could not be saved");
        }
    }
}

fn secrets_file(settings: &Path) -> StoreKind {
    StoreKind::File(settings.with_file_name("secrets.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::load(folder.path(), None);
        assert_eq!(
            (settings.appearance(), settings.secret_store()),
            (Appearance::System, StoreKind::Keychain)
        );

        settings.set_appearance(Appearance::Dark);
        settings.set_secret_store(settings.secrets_file());
        settings.set_secret_store(StoreKind::Memory);
        assert!(!settings.tray_notice_shown());
        settings.set_tray_notice_shown();

        let settings = Settings::load(folder.path(), None);
        let file = StoreKind::File(folder.path().join("secrets.json"));
        assert_eq!((settings.appearance(), settings.secret_store()), (Appearance::Dark, file));
        assert!(settings.tray_notice_shown());
    }
}
