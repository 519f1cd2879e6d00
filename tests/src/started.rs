//! The app as the system started it: for a link, or from the menu. Nobody is its parent; it is found on the bus.

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};

use crate::Desktop;
use crate::wait::{PATIENCE, until_ready};

/// The running app; ended when this is dropped, for nobody else ends it.
#[derive(Debug)]
pub struct StartedBySystem(Pid);

impl StartedBySystem {
    /// The name on the session bus that the app holds while it runs.
    pub const NAME: &str = "dev.usher.desktop.SingleInstance";

    /// Waits until it runs.
    pub async fn wait(desktop: &Desktop) -> Result<StartedBySystem> {
        until_ready("the app to run", PATIENCE, || Ok(desktop.bus()?.has(Self::NAME)?.then_some(()))).await?;
        Ok(StartedBySystem(desktop.bus()?.process_of(Self::NAME)?))
    }

    /// Waits until no app runs on this desktop.
    pub async fn wait_until_gone(desktop: &Desktop) -> Result<()> {
        until_ready("the app to be gone", PATIENCE, || Ok((!desktop.bus()?.has(Self::NAME)?).then_some(())))
            .await
    }

    /// Its process.
    pub fn id(&self) -> Pid {
        self.0
    }

    /// Asks it to end, and waits until it did.
    pub async fn end(self, desktop: &Desktop) -> Result<()> {
        drop(self);
        StartedBySystem::wait_until_gone(desktop).await
    }
}

impl Drop for StartedBySystem {
    fn drop(&mut self) {
        // It may be gone already.
        kill_process(self.0, Signal::TERM).ok();
    }
}
