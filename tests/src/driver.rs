//! A WebDriver program and its one session.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use thirtyfour::common::config::WebDriverConfig;
use thirtyfour::{Capabilities, WebDriver};
use usher_fake_service::http_client;

use crate::wait::until;
use crate::{Page, Process, free_port};

/// A WebDriver on a loopback port. It stops together with the program that it drives.
#[derive(Debug)]
pub struct Driver {
    process: Process,
    session: WebDriver,
}

impl Driver {
    /// Starts `command`, which must accept `--port`, and opens a session.
    pub async fn start(command: &mut Command, capabilities: Value) -> Result<Driver> {
        let port = free_port()?;
        let mut process = Process::start(command.arg(format!("--port={port}")))?;
        // A proxy configured on this machine must not be used for loopback.
        let client =
            http_client().timeout(Duration::from_secs(60)).build().context("create an HTTP client")?;
        let address = format!("http://127.0.0.1:{port}");
        until("the WebDriver to listen", || {
            let running = process.expect_running();
            let request = client.get(format!("{address}/status"));
            async move {
                running?;
                Ok(request.send().await.ok().map(drop))
            }
        })
        .await?;
        let config = WebDriverConfig::default();
        let capabilities: Capabilities = serde_json::from_value(capabilities)?;
        let session = WebDriver::new_with_config_and_client(address, capabilities, config, client);
        let session = session.await.context("cannot open a WebDriver session")?;
        Ok(Driver { process, session })
    }

    /// The page that the session shows.
    pub fn page(&self) -> Page {
        Page::new(self.session.clone())
    }

    /// Closes the session, and with it the program, then stops the driver.
    pub async fn quit(mut self) -> Result<()> {
        self.session.clone().quit().await.context("cannot close the WebDriver session")?;
        self.process.stop();
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.process.stop();
        // The session ended with its driver, so the session must not send a quit request.
        self.session.clone().leak().ok();
    }
}
