//! Starting at login. On Linux, an entry in the desktop's autostart folder turns it on.

use std::io;

use crate::desktop_features::AutostartState;
use crate::options::HIDDEN_FLAG;

#[cfg(target_os = "linux")]
pub use linux::{set, state};
#[cfg(not(target_os = "linux"))]
pub use other::{set, state};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::{Path, PathBuf};

    use tauri::{AppHandle, Manager};
    use usher_secrets::private_files::remove_if_exists;

    use super::*;
    use crate::links::desktop_entry;
    use crate::options::Paths;

    /// Desktop Application Autostart Specification: `$XDG_CONFIG_HOME/autostart`.
    const ENTRY: &str = "autostart/dev.usher.desktop.desktop";

    /// Whether the app starts at login.
    pub fn state(app: &AppHandle) -> AutostartState {
        // The desktop does not read the autostart folder of these sandboxes.
        if ["FLATPAK_ID", "SNAP"].iter().any(|name| std::env::var_os(name).is_some()) {
            return AutostartState::Unavailable;
        }
        match entry_path(app) {
            Ok(path) if is_on(&path) => AutostartState::On,
            Ok(_) => AutostartState::Off,
            Err(_) => AutostartState::Unavailable,
        }
    }

    pub fn set(app: &AppHandle, on: bool) -> io::Result<()> {
        let path = entry_path(app)?;
        let program = tauri::process::current_binary(&app.env())?;
        if on {
            turn_on(&path, &program, &app.state::<Paths>().state_dir)
        } else {
            remove_if_exists(&path).map(drop)
        }
    }

    fn entry_path(app: &AppHandle) -> io::Result<PathBuf> {
        app.path().config_dir().map(|folder| folder.join(ENTRY)).map_err(io::Error::other)
    }

    /// Whether the entry is enabled. Other programs disable it with `Hidden`, and GNOME's settings use their own key.
    /// An entry whose program is missing starts nothing.
    fn is_on(path: &Path) -> bool {
        let Ok(text) = fs::read_to_string(path) else { return false };
        let has_line =
            |wanted: &str| text.lines().any(|line| line.replace(' ', "").eq_ignore_ascii_case(wanted));
        let mut programs = text.lines().filter_map(|line| line.strip_prefix("TryExec="));
        !has_line("Hidden=true")
            && !has_line("X-GNOME-Autostart-enabled=false")
            && programs.all(|path| Path::new(path).exists())
    }

    fn turn_on(path: &Path, program: &Path, state_dir: &Path) -> io::Result<()> {
        let exec = desktop_entry::exec_path(program, state_dir)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, entry(&exec))
    }

    fn entry(exec: &str) -> String {
        format!(
            "[Desktop Entry]\nType=Application\nName=Usher\nComment=Keeps you signed in to your services\n\
             Exec={exec} {HIDDEN_FLAG}\nTryExec={exec}\nIcon=usher-desktop\nTerminal=false\n"
        )
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn autostart_is_on_while_its_entry_exists_and_is_not_disabled() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("config").join(ENTRY);
            assert!(!is_on(&path));
            remove_if_exists(&path).unwrap();
            turn_on(&path, Path::new("/bin/sh"), folder.path()).unwrap();
            assert!(is_on(&path));
            insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @"
            [Desktop Entry]
            Type=Application
            Name=Usher
            Comment=Keeps you signed in to your services
            Exec=/bin/sh --hidden
            TryExec=/bin/sh
            Icon=usher-desktop
            Terminal=false
            ");
            for other in ["Hidden=true\n", "X-GNOME-Autostart-enabled = false\n"] {
                fs::write(&path, entry("/bin/sh") + other).unwrap();
                assert!(!is_on(&path), "{other}");
            }
            fs::write(&path, entry("/moved/away/usher-desktop")).unwrap();
            assert!(!is_on(&path));
            remove_if_exists(&path).unwrap();
            assert!(!path.exists());
        }
    }
}

/// macOS and Windows. Untested.
#[cfg(not(target_os = "linux"))]
mod other {
    use auto_launch::{AutoLaunch, AutoLaunchBuilder};
    use tauri::AppHandle;

    use super::*;

    /// Whether the app starts at login.
    pub fn state(_app: &AppHandle) -> AutostartState {
        match launch().and_then(|launch| launch.is_enabled().map_err(io::Error::other)) {
            Ok(true) => AutostartState::On,
            Ok(false) => AutostartState::Off,
            Err(_) => AutostartState::Unavailable,
        }
    }

    pub fn set(_app: &AppHandle, on: bool) -> io::Result<()> {
        let launch = launch()?;
        if on { launch.enable() } else { launch.disable() }.map_err(io::Error::other)
    }

    fn launch() -> io::Result<AutoLaunch> {
        let program = std::env::current_exe()?;
        AutoLaunchBuilder::new()
            .set_app_name("Usher")
            .set_app_path(&program.to_string_lossy())
            .set_args(&[HIDDEN_FLAG])
            .build()
            .map_err(io::Error::other)
    }
}
