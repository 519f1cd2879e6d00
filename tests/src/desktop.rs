//! A private desktop for one test: home folder, screen, session bus, keychain and environment.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::wait::until_ready;
use crate::{Bus, Display, Keyring, engine, requirements};

/// The parts of a desktop.
#[derive(Clone, Copy, Debug)]
pub struct DesktopOptions {
    pub display: bool,
    pub bus: bool,
    /// Requires the bus.
    pub keyring: bool,
}

impl DesktopOptions {
    /// A desktop with all parts.
    pub const COMPLETE: Self = Self { display: true, bus: true, keyring: true };
    /// A desktop without a keychain.
    pub const WITHOUT_KEYRING: Self = Self { keyring: false, ..Self::COMPLETE };
    /// A screen without a session bus, and so without a keychain.
    pub const WITHOUT_BUS: Self = Self { bus: false, ..Self::WITHOUT_KEYRING };
    /// A machine without a desktop session, as reached over SSH.
    pub const HEADLESS: Self = Self { display: false, ..Self::WITHOUT_BUS };
}

/// A desktop in a temporary folder. [`Desktop::command`] starts programs on it.
#[derive(Debug)]
pub struct Desktop {
    // Dropped in this order: the keyring before its bus, the folder last.
    keyring: Option<Keyring>,
    bus: Option<Bus>,
    display: Option<Display>,
    root: TempDir,
}

impl Desktop {
    /// An `mcp.json` that lacks two closing braces.
    pub const BROKEN_CONFIG: &str =
        "{\n  \"mcpServers\": {\n    \"notes\": { \"url\": \"http://127.0.0.1/mcp\" \n  }\n";

    /// Starts a desktop with all parts.
    pub async fn start() -> Result<Desktop> {
        Desktop::start_with(DesktopOptions::COMPLETE).await
    }

    /// Starts a desktop with the parts in `options` and empty folders.
    pub async fn start_with(options: DesktopOptions) -> Result<Desktop> {
        if options.display {
            requirements::check()?;
        }
        let root =
            tempfile::Builder::new().prefix("usher-").tempdir().context("create a temporary folder")?;
        for folder in ["home", "config", "data/applications", "state", "cache", "run", "bin"] {
            std::fs::create_dir_all(root.path().join(folder))?;
        }
        let runtime = root.path().join("run");
        std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o700))?;
        let display = options.display.then(Display::start).transpose()?;
        let bus = options.bus.then(|| Bus::start(&runtime)).transpose()?;
        let mut desktop = Desktop { keyring: None, bus, display, root };
        if options.keyring {
            desktop.start_keyring().await?;
        }
        Ok(desktop)
    }

    /// A command with this desktop's environment. Only `PATH` is inherited from the test process.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).current_dir(self.folder("home"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.folder("bin")).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap_or_default());
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(name, self.folder(folder));
        }
        command.envs([
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            // Makes xdg-open use gio, which runs handlers whose Exec line is quoted.
            ("XDG_CURRENT_DESKTOP", "GNOME"),
            ("XDG_SESSION_TYPE", "x11"),
            ("GDK_BACKEND", "x11"),
            ("GSETTINGS_BACKEND", "memory"),
            ("NO_AT_BRIDGE", "1"),
            ("GTK_A11Y", "none"),
            ("LIBGL_ALWAYS_SOFTWARE", "1"),
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
        ]);
        match &self.display {
            Some(display) => command.env("DISPLAY", display.name()),
            None => command.env_remove("DISPLAY"),
        };
        match &self.bus {
            Some(bus) => command.env("DBUS_SESSION_BUS_ADDRESS", bus.address()),
            // Without the variable, libdbus would launch a bus.
            None => command.env("DBUS_SESSION_BUS_ADDRESS", "disabled:"),
        };
        command
    }

    /// Runs a program to completion and discards its output. Returns whether the program succeeded.
    pub async fn run(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<bool> {
        let mut command = tokio::process::Command::from(self.command(&program));
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().await;
        Ok(status.with_context(|| format!("cannot run {}", program.as_ref().display()))?.success())
    }

    /// A folder of the desktop: `home`, `config`, `data`, `state`, `cache`, `run` or `bin` (first on `PATH`).
    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The default path of `mcp.json`.
    pub fn config_file(&self) -> PathBuf {
        self.folder("config").join("usher").join("mcp.json")
    }

    /// Writes `mcp.json`.
    pub fn write_config(&self, text: &str) -> Result<()> {
        let file = self.config_file();
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Writes an `mcp.json` with these servers, each with its name and URL.
    pub fn configure<'a>(&self, servers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
        self.write_config(&engine::config(servers))
    }

    /// The private file for secrets, if a test chooses it instead of the keychain.
    pub fn secret_file(&self) -> PathBuf {
        self.folder("home/store/secrets")
    }

    /// The socket of the process that holds the engine. It exists while one holds it.
    pub fn engine_socket(&self) -> PathBuf {
        self.folder("run/usher/engine.sock")
    }

    /// Installs a script in the first folder on the desktop's `PATH`.
    pub fn install_script(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.folder("bin").join(name);
        std::fs::write(&file, text)?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
        Ok(file)
    }

    /// Installs a script as the default handler of these MIME types.
    pub fn install_handler(&self, name: &str, script: &str, types: &[&str]) -> Result<()> {
        let program = self.install_script(name, script)?;
        let entry = format!("{name}.desktop");
        let text = format!(
            "[Desktop Entry]\nType=Application\nName={name}\nExec={} %u\nNoDisplay=true\nMimeType={};\n",
            program.display(),
            types.join(";")
        );
        std::fs::write(self.folder("data/applications").join(&entry), text)?;
        let mut xdg_mime = self.command("xdg-mime");
        xdg_mime.args(["default", &entry]).args(types).stdout(Stdio::null()).stderr(Stdio::null());
        let made_default = xdg_mime.status().context("cannot run xdg-mime")?.success();
        anyhow::ensure!(made_default, "xdg-mime could not make {name} the default");
        Ok(())
    }

    /// The session bus. Fails if there is none.
    pub fn bus(&self) -> Result<&Bus> {
        self.bus.as_ref().context("this desktop has no session bus")
    }

    /// The screen. Fails if there is none.
    pub fn display(&self) -> Result<&Display> {
        self.display.as_ref().context("this desktop has no screen")
    }

    /// Starts or restarts the keychain. Stored items are kept.
    pub async fn start_keyring(&mut self) -> Result<()> {
        self.keyring = None;
        let command = self.command("gnome-keyring-daemon");
        self.keyring = Some(Keyring::start(command, self.bus()?).await?);
        Ok(())
    }

    /// Kills the keychain. [`Desktop::start_keyring`] restarts it.
    pub fn kill_keyring(&mut self) -> Result<()> {
        self.keyring.take().context("this desktop has no keychain")?.kill()
    }

    /// Waits until the keychain has the grant of a server.
    pub async fn until_stored(&self, server: &str) -> Result<()> {
        let label = format!("label = Usher: {server}\n");
        until_ready("the sign-in to be stored", || Ok(self.stored_secrets()?.contains(&label).then_some(())))
            .await
    }

    /// The output of `secret-tool search` for Usher's items, including their secrets.
    pub fn stored_secrets(&self) -> Result<String> {
        let output = self
            .command("secret-tool")
            .args(["search", "--all", "--unlock", "service", "dev.usher.desktop"])
            .output()
            .context("cannot run secret-tool")?;
        // secret-tool writes attributes to stderr and secrets to stdout.
        Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }
}
