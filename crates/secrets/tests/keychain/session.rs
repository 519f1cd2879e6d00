//! A private desktop session with its own bus, folders and keyring.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::child::MARK;

/// The bus has no service activation, so only programs that the tests start are on it.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=FOLDER</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

const DEADLINE: Duration = Duration::from_secs(20);

/// A running session. Dropping it ends its processes and removes its folders.
pub struct Session {
    address: String,
    _bus: Process,
    folder: tempfile::TempDir,
}

impl Session {
    /// Starts an empty bus.
    pub fn start() -> Result<Session> {
        let folder = tempfile::tempdir()?;
        for name in ["home", "run", "data", "config", "cache"] {
            fs::create_dir(folder.path().join(name))?;
        }
        let config = folder.path().join("bus.conf");
        fs::write(&config, BUS.replace("FOLDER", &folder.path().to_string_lossy()))?;
        let mut bus = Process(
            Command::new("dbus-daemon")
                .arg(format!("--config-file={}", config.display()))
                .args(["--nofork", "--print-address"])
                .stdout(Stdio::piped())
                .spawn()
                .context("starting dbus-daemon")?,
        );
        let mut address = String::new();
        let output = bus.0.stdout.take().context("the bus has no output")?;
        BufReader::new(output).read_line(&mut address)?;
        Ok(Session { address: address.trim().to_owned(), _bus: bus, folder })
    }

    /// Starts a bus with an unlocked keyring, and a store.
    pub fn with_keyring() -> Result<(Session, Process, Store)> {
        let session = Session::start()?;
        let (keyring, store) = (session.keyring()?, session.store()?);
        Ok((session, keyring, store))
    }

    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = command_without_session(program, self.folder.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// Starts an unlocked gnome-keyring with the items of earlier keyrings in this session.
    pub fn keyring(&self) -> Result<Process> {
        let mut daemon = Process(
            self.command("gnome-keyring-daemon")
                .args(["--foreground", "--unlock", "--components=secrets"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .context("starting gnome-keyring-daemon")?,
        );
        daemon.0.stdin.take().context("the keyring has no input")?.write_all(b"test")?;
        self.wait_until("the keyring is unlocked", || {
            Ok(self.login_is_locked()?.is_some_and(|locked| !locked))
        })?;
        Ok(daemon)
    }

    /// Locks the keyring. There is no prompter to unlock it.
    pub fn lock(&self) -> Result<()> {
        let login = "array:objpath:/org/freedesktop/secrets/collection/login";
        self.call("org.freedesktop.Secret.Service.Lock", &[login])?;
        self.wait_until("the keyring is locked", || Ok(self.login_is_locked()? == Some(true)))
    }

    /// Makes `collection` the default, where new items are stored.
    pub fn make_default(&self, collection: &str) -> Result<()> {
        let collection = format!("objpath:/org/freedesktop/secrets/collection/{collection}");
        let reply = self.call("org.freedesktop.Secret.Service.SetAlias", &["string:default", &collection])?;
        ensure!(reply.contains("method return"), "{reply}");
        Ok(())
    }

    /// Returns the output of `secret-tool`, which is empty if it finds nothing.
    pub fn secret_tool(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command("secret-tool").args(arguments).output().context("running secret-tool")?;
        let mut text = String::from_utf8(output.stdout)?;
        text.push_str(&String::from_utf8(output.stderr)?);
        Ok(text)
    }

    pub fn store(&self) -> Result<Store> {
        Store::start(self.command(std::env::current_exe()?))
    }

    /// Whether the collection `login` is locked. `None` if there is no keyring.
    fn login_is_locked(&self) -> Result<Option<bool>> {
        let property = ["string:org.freedesktop.Secret.Collection", "string:Locked"];
        let path = "/org/freedesktop/secrets/collection/login";
        let reply = self.send(path, "org.freedesktop.DBus.Properties.Get", &property)?;
        Ok(match reply {
            reply if reply.contains("boolean true") => Some(true),
            reply if reply.contains("boolean false") => Some(false),
            _ => None,
        })
    }

    fn call(&self, method: &str, arguments: &[&str]) -> Result<String> {
        self.send("/org/freedesktop/secrets", method, arguments)
    }

    fn send(&self, path: &str, method: &str, arguments: &[&str]) -> Result<String> {
        let output = self
            .command("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", path, method])
            .args(arguments)
            .output()
            .context("running dbus-send")?;
        Ok(String::from_utf8(output.stdout)?)
    }

    fn wait_until(&self, state: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
        let started = Instant::now();
        // The conditions are the output of other programs, which sends no event.
        while !condition()? {
            ensure!(started.elapsed() < DEADLINE, "timed out waiting until {state}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// A command with private folders and without a session bus.
pub fn command_without_session(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("HOME", folder.join("home"))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("NO_AT_BRIDGE", "1")
        .env("TZ", "UTC")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("GNOME_KEYRING_CONTROL");
    command
}

/// A process that is killed when dropped.
pub struct Process(Child);

impl Process {
    /// Suspends the process, so that calls to it hang.
    pub fn stop(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The child process with the store under test.
pub struct Store {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    process: Process,
}

impl Store {
    pub fn start(mut command: Command) -> Result<Store> {
        let mut child = command.env(MARK, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("the child has no input")?;
        let output = BufReader::new(child.stdout.take().context("the child has no output")?);
        Ok(Store { input, output, process: Process(child) })
    }

    /// Sends a command and compares the reply.
    pub fn expect(&mut self, command: &str, expected: &str) -> Result<()> {
        let reply = self.send(command)?;
        ensure!(reply == expected, "`{command}` returned `{reply}` instead of `{expected}`");
        Ok(())
    }

    pub fn expect_all(&mut self, commands: &[(&str, &str)]) -> Result<()> {
        commands.iter().try_for_each(|(command, expected)| self.expect(command, expected))
    }

    fn send(&mut self, command: &str) -> Result<String> {
        writeln!(self.input, "{command}")?;
        let mut reply = String::new();
        self.output.read_line(&mut reply)?;
        ensure!(reply.ends_with('\n'), "the child ended at `{command}`");
        Ok(reply.trim_end().to_owned())
    }

    /// Closes stdin and returns how long the child took to end.
    pub fn end(mut self) -> Result<Duration> {
        let started = Instant::now();
        drop(self.input);
        let status = self.process.0.wait()?;
        ensure!(status.success(), "the child failed: {status}");
        Ok(started.elapsed())
    }
}
