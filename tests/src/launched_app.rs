//! The app as started by the system, for a link or from the menu. The test is not its parent and finds it on the bus.

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};

use crate::Desktop;
use crate::wait::until_ready;

/// The running app. Dropping this terminates it.
#[derive(Debug)]
pub struct LaunchedApp(Pid);

impl LaunchedApp {
    /// The name that the app owns on the session bus while it runs.
    pub const BUS_NAME: &str = "dev.usher.desktop.SingleInstance";

    /// Waits until the app is running.
    pub async fn wait(desktop: &Desktop) -> Result<LaunchedApp> {
        until_ready("the app to be running", || Ok(is_running(desktop)?.then_some(()))).await?;
        Ok(LaunchedApp(desktop.bus()?.owner_pid(Self::BUS_NAME)?))
    }

    /// Waits until no app is running on this desktop.
    pub async fn wait_until_gone(desktop: &Desktop) -> Result<()> {
        until_ready("the app to exit", || Ok((!is_running(desktop)?).then_some(()))).await
    }

    /// The process id.
    pub fn id(&self) -> Pid {
        self.0
    }

    /// Terminates the app and waits until it is gone.
    pub async fn stop(self, desktop: &Desktop) -> Result<()> {
        drop(self);
        LaunchedApp::wait_until_gone(desktop).await
    }
}

impl Drop for LaunchedApp {
    fn drop(&mut self) {
        // The app may have exited already.
        kill_process(self.0, Signal::TERM).ok();
    }
}

fn is_running(desktop: &Desktop) -> Result<bool> {
    desktop.bus()?.has_owner(LaunchedApp::BUS_NAME)
}
