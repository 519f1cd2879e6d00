//! Starting with the person's session: an entry in the folder that desktops look through at login.

use std::io;

use crate::desktop::AutostartPart;

/// The flag of such a start: no window where there is a tray.
pub const FLAG: &str = "--hidden";

#[cfg(target_os = "linux")]
pub use linux::{set, state};
#[cfg(not(target_os = "linux"))]
pub use other::{set, state};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::{Path, PathBuf};

    use tauri::{AppHandle, Manager};

    use super::*;
    use crate::handler;
    use crate::shell::Shell;

    /// Desktop Application Autostart Specification: `$XDG_CONFIG_HOME/autostart`.
    const ENTRY: &str = "autostart/dev.usher.desktop.desktop";

    /// Whether the app starts at login.
    pub fn state(app: &AppHandle) -> AutostartPart {
        // Inside those two the folder is the sandbox's own, through which nobody looks.
        if ["FLATPAK_ID", "SNAP"].iter().any(|name| std::env::var_os(name).is_some()) {
            return AutostartPart::Unavailable;
        }
        match entry_path(app) {
            Ok(path) if is_on(&path) => AutostartPart::On,
            Ok(_) => AutostartPart::Off,
            Err(_) => AutostartPart::Unavailable,
        }
    }

    /// Changes whether it does.
    pub fn set(app: &AppHandle, on: bool) -> io::Result<()> {
        let path = entry_path(app)?;
        let program = tauri::process::current_binary(&app.env())?;
        if on {
            switch_on(&path, &program, &app.state::<Shell>().places.state_dir)
        } else {
            switch_off(&path)
        }
    }

    fn entry_path(app: &AppHandle) -> io::Result<PathBuf> {
        app.path().config_dir().map(|folder| folder.join(ENTRY)).map_err(io::Error::other)
    }

    /// Other programs switch an entry off by `Hidden`, and GNOME's settings by a key of their own. One whose program was
    /// moved away starts nothing.
    fn is_on(path: &Path) -> bool {
        let Ok(text) = fs::read_to_string(path) else { return false };
        let says = |line: &str| text.lines().any(|said| said.replace(' ', "").eq_ignore_ascii_case(line));
        let mut programs = text.lines().filter_map(|said| said.strip_prefix("TryExec="));
        !says("Hidden=true")
            && !says("X-GNOME-Autostart-enabled=false")
            && programs.all(|path| Path::new(path).exists())
    }

    fn switch_on(path: &Path, program: &Path, state_dir: &Path) -> io::Result<()> {
        let exec = handler::exec(program, state_dir)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, entry(&exec))
    }

    fn switch_off(path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn entry(exec: &str) -> String {
        format!(
            "[Desktop Entry]\nType=Application\nName=Usher\nComment=Keeps your services signed in\n\
             Exec={exec} {FLAG}\nTryExec={exec}\nIcon=usher-desktop\nTerminal=false\n"
        )
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn it_is_on_as_long_as_its_entry_is_there_and_nobody_switched_it_off() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("config").join(ENTRY);
            assert!(!is_on(&path));
            switch_off(&path).unwrap();
            switch_on(&path, Path::new("/bin/sh"), folder.path()).unwrap();
            assert!(is_on(&path));
            insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @"
            [Desktop Entry]
            Type=Application
            Name=Usher
            Comment=Keeps your services signed in
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
            switch_off(&path).unwrap();
            assert!(!path.exists());
        }
    }
}

/// macOS and Windows, by a library; untested.
#[cfg(not(target_os = "linux"))]
mod other {
    use auto_launch::{AutoLaunch, AutoLaunchBuilder};
    use tauri::AppHandle;

    use super::*;

    /// Whether the app starts at login.
    pub fn state(_app: &AppHandle) -> AutostartPart {
        match launch().and_then(|launch| launch.is_enabled().map_err(io::Error::other)) {
            Ok(true) => AutostartPart::On,
            Ok(false) => AutostartPart::Off,
            Err(_) => AutostartPart::Unavailable,
        }
    }

    /// Changes whether it does.
    pub fn set(_app: &AppHandle, on: bool) -> io::Result<()> {
        let launch = launch()?;
        if on { launch.enable() } else { launch.disable() }.map_err(io::Error::other)
    }

    fn launch() -> io::Result<AutoLaunch> {
        let program = std::env::current_exe()?;
        AutoLaunchBuilder::new()
            .set_app_name("Usher")
            .set_app_path(&program.to_string_lossy())
            .set_args(&[FLAG])
            .build()
            .map_err(io::Error::other)
    }
}
