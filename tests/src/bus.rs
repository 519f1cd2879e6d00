//! A private session bus that activates no system services.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::Pid;
use zbus::Connection;
use zbus::connection::Builder;
use zbus::object_server::Interface;

use crate::Process;

/// A `dbus-daemon` on a socket in the runtime folder.
#[derive(Debug)]
pub struct Bus {
    address: String,
    _daemon: Process,
}

impl Bus {
    /// Starts a bus whose only service folder is empty. A name activates a program (a keychain, a portal) only if a
    /// test adds a service file.
    pub fn start(runtime: &Path) -> Result<Bus> {
        let config = runtime.join("bus.conf");
        let socket = runtime.join("bus");
        let services = runtime.join("services");
        std::fs::create_dir_all(&services)?;
        std::fs::write(
            &config,
            format!(
                r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
                socket.display(),
                services.display()
            ),
        )?;
        let (daemon, address) = Process::start_server(
            Command::new("dbus-daemon").arg(format!("--config-file={}", config.display())).args([
                "--nofork",
                "--nopidfile",
                "--print-address=1",
            ]),
        )?;
        Ok(Bus { address, _daemon: daemon })
    }

    /// The value of `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Serves `interface` at `path` and owns `name` until the returned connection is closed.
    pub async fn serve(&self, name: &str, path: &str, interface: impl Interface) -> Result<Connection> {
        let builder = Builder::address(self.address.as_str())?.serve_at(path, interface)?.name(name)?;
        builder.build().await.with_context(|| format!("cannot serve {name}"))
    }

    /// Calls a method through `gdbus` and returns the printed reply.
    pub fn call(&self, destination: &str, path: &str, method: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new("gdbus")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .args(["call", "--session", "-d", destination, "-o", path, "-m", method])
            .args(arguments)
            .output()
            .context("cannot run gdbus")?;
        anyhow::ensure!(
            output.status.success(),
            "{method} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Calls a method of the bus itself.
    pub fn call_daemon(&self, method: &str, arguments: &[&str]) -> Result<String> {
        let method = format!("org.freedesktop.DBus.{method}");
        self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", &method, arguments)
    }

    /// Whether the name has an owner.
    pub fn has_owner(&self, name: &str) -> Result<bool> {
        Ok(self.call_daemon("NameHasOwner", &[name])? == "(true,)")
    }

    /// The process id of the name's owner.
    pub fn owner_pid(&self, name: &str) -> Result<Pid> {
        let reply = self.call_daemon("GetConnectionUnixProcessID", &[name])?;
        let number = reply.strip_prefix("(uint32 ").and_then(|rest| rest.strip_suffix(",)"));
        let id = number.and_then(|digits| digits.parse().ok()).and_then(Pid::from_raw);
        id.with_context(|| format!("no process id of {name} in the reply: {reply}"))
    }
}
