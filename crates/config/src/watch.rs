//! Tells when `mcp.json` changes.
//!
//! By looking, not by the system's notifications: those follow folders and files, not names, and would need
//! following through missing folders, links to dotfiles, editors that replace files and network drives. One
//! small file twice a second costs next to nothing and is right in all of these.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

const INTERVAL: Duration = Duration::from_millis(500);
/// A file is still being written until it looks the same twice, this far apart.
const SETTLE: Duration = Duration::from_millis(50);
/// What never settles is told all the same.
const MOST_SETTLES: usize = 20;

/// Ends when dropped. Needs a tokio runtime once it is waited for.
#[derive(Debug)]
pub struct ConfigWatch {
    path: PathBuf,
    told: Contents,
    interval: Option<Interval>,
}

/// What a look shows. Links are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Contents {
    Missing,
    Unreadable(ErrorKind),
    Bytes(Vec<u8>),
}

impl ConfigWatch {
    pub(crate) fn new(path: PathBuf) -> Self {
        let told = from_read(std::fs::read(&path));
        Self { path, told, interval: None }
    }

    /// Waits until the file's contents are others than at the last answer (or at the start), a missing file
    /// included. Cancel safe: what was not told yet is told by the next call.
    pub async fn changed(&mut self) {
        loop {
            self.interval
                .get_or_insert_with(|| {
                    let mut interval = interval(INTERVAL);
                    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                    interval
                })
                .tick()
                .await;
            let mut now = from_read(tokio::fs::read(&self.path).await);
            if now == self.told {
                continue;
            }
            for _ in 0..MOST_SETTLES {
                sleep(SETTLE).await;
                let next = from_read(tokio::fs::read(&self.path).await);
                if next == now {
                    break;
                }
                now = next;
            }
            if now != self.told {
                self.told = now;
                return;
            }
        }
    }
}

fn from_read(read: std::io::Result<Vec<u8>>) -> Contents {
    match read {
        Ok(bytes) => Contents::Bytes(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Contents::Missing,
        Err(error) => Contents::Unreadable(error.kind()),
    }
}
