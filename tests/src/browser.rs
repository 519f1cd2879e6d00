//! Chromium as the default browser of a test's desktop, driven by WebDriver once a program has opened a link.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;

use crate::wait::{until, until_ready};
use crate::{Desktop, Driver, Page};

/// The custom scheme of Usher's redirect URI.
const SCHEME: &str = "dev.usher.desktop";

/// The default handler of web links on one desktop. It runs only after a program has opened a link.
#[derive(Debug)]
pub struct Browser {
    log: PathBuf,
    processes: PathBuf,
    profile: PathBuf,
    driver: Option<Driver>,
}

impl Browser {
    /// Makes Chromium the default browser of `desktop`, without starting it.
    ///
    /// With a new profile, Chromium asks before it opens another program. A person clicks "always allow" once. The
    /// launcher writes the same choice into the new profile, but only for the origin of the first address.
    pub fn install(desktop: &Desktop) -> Result<Browser> {
        let log = desktop.folder("cache").join("opened-links");
        let processes = desktop.folder("cache").join("browser-processes");
        let profile = desktop.folder("cache").join("browser");
        let output = desktop.folder("cache").join("browser.log");
        let launcher = format!(
            r#"#!/bin/sh
printf '%s\n' "$*" >> '{log}'
if [ ! -e '{profile}' ]; then
  origin=$(printf '%s' "$1" | sed -E 's#^(https?://[^/?]+).*#\1#')
  mkdir -p '{profile}/Default'
  printf '%s' '{{"protocol_handler":{{"allowed_origin_protocol_pairs":{{"'"$origin"'":{{"{SCHEME}":true}}}}}}}}' \
    > '{profile}/Default/Preferences'
fi
exec setsid sh -c 'echo $$ >> {processes}; exec chromium {FLAGS} --user-data-dir={profile} "$@" > {output} 2>&1' browser "$@"
"#,
            log = log.display(),
            profile = profile.display(),
            processes = processes.display(),
            output = output.display(),
        );
        let types = ["x-scheme-handler/http", "x-scheme-handler/https", "text/html"];
        desktop.install_handler("usher-test-browser", &launcher, &types)?;
        Ok(Browser { log, processes, profile, driver: None })
    }

    /// All links that programs opened in this browser, oldest first.
    pub fn opened(&self) -> Vec<String> {
        std::fs::read_to_string(&self.log).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Waits until this many links were opened, and returns all of them.
    pub async fn until_opened(&self, count: usize) -> Result<Vec<String>> {
        until_ready(&format!("the browser to open {count} links"), || {
            Ok(Some(self.opened()).filter(|opened| opened.len() == count))
        })
        .await
    }

    /// Waits for a tab whose address begins with `prefix` and that shows `selector`, and selects it. The selector
    /// excludes tabs that are still open from earlier sign-ins.
    pub async fn page_showing(&mut self, prefix: &str, selector: &str) -> Result<Page> {
        if self.driver.is_none() {
            self.driver = Some(self.attach().await?);
        }
        let page = self.driver.as_ref().context("the browser has no driver")?.page();
        let session = page.session().clone();
        until(&format!("a tab at {prefix} with {selector}"), || async {
            for tab in session.windows().await? {
                session.switch_to_window(tab).await?;
                let matches = session.current_url().await?.as_str().starts_with(prefix);
                if matches && page.find_visible(selector).await?.is_some() {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await?;
        Ok(page)
    }

    async fn attach(&self) -> Result<Driver> {
        let port_file = self.profile.join("DevToolsActivePort");
        let port = until_ready("the browser to open", || {
            let text = std::fs::read_to_string(&port_file).unwrap_or_default();
            Ok(text.lines().next().and_then(|line| line.parse::<u16>().ok()))
        })
        .await?;
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "debuggerAddress": format!("127.0.0.1:{port}") },
        });
        let mut command = Command::new("chromedriver");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Driver::start(&mut command, capabilities).await
    }
}

/// Chromium's flags for a machine without a GPU. They also turn off background traffic.
const FLAGS: &str = "--remote-debugging-port=0 --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --no-default-browser-check --disable-background-networking --disable-component-update --disable-sync \
    --disable-dev-shm-usage --password-store=basic --window-size=1000,800";

impl Drop for Browser {
    fn drop(&mut self) {
        self.driver = None;
        // The browser is not a child of this process: the launcher started it in a new session and recorded its id.
        for line in std::fs::read_to_string(&self.processes).unwrap_or_default().lines() {
            if let Some(group) = line.parse().ok().and_then(Pid::from_raw) {
                kill_process_group(group, Signal::KILL).ok();
            }
        }
    }
}
