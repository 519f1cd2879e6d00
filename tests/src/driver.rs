//! A WebDriver program of this machine and the one session it drives.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use thirtyfour::common::config::WebDriverConfig;
use thirtyfour::{Capabilities, WebDriver};

use crate::wait::{PATIENCE, until};
use crate::{Page, Process};

/// A driver on a loopback port, ended together with what it drives.
#[derive(Debug)]
pub struct Driver {
    process: Process,
    session: WebDriver,
}

impl Driver {
    /// Starts `command`, which is to listen on `port` of loopback, and opens a session.
    pub async fn start(command: &mut Command, port: u16, capabilities: Capabilities) -> Result<Driver> {
        let mut process = Process::start(command)?;
        // No proxy of the machine may come between a test and its own loopback.
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .context("no HTTP client")?;
        let address = format!("http://127.0.0.1:{port}");
        until("the WebDriver to listen", PATIENCE, || {
            let asked = process.expect_running();
            let request = client.get(format!("{address}/status"));
            async move {
                asked?;
                Ok(request.send().await.ok().map(drop))
            }
        })
        .await?;
        let session =
            WebDriver::new_with_config_and_client(address, capabilities, WebDriverConfig::default(), client)
                .await
                .context("the WebDriver opened no session")?;
        Ok(Driver { process, session })
    }

    /// What the session shows.
    pub fn page(&self) -> Page {
        Page::new(self.session.clone())
    }

    /// Ends the session as a person closes a program, then the driver.
    pub async fn quit(mut self) -> Result<()> {
        self.session.clone().quit().await.context("the session did not end")?;
        self.process.end();
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.process.end();
        // The session ended with its driver: there is nobody left to be told to quit.
        self.session.clone().leak().ok();
    }
}
