//! Reports changes to `mcp.json` by polling.
//!
//! The system's file notifications watch folders and files, not paths. They would need extra code for missing folders,
//! symbolic links, editors that replace files, and network drives. Reading one small file twice a second is cheap, and
//! works in all these cases.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

const INTERVAL: Duration = Duration::from_millis(500);
/// The delay between two reads. If both return the same contents, the file is no longer being written.
const SETTLE: Duration = Duration::from_millis(50);
/// The maximum number of such reads. After the last one, a change is reported even if the file is still being written.
const MAX_SETTLES: usize = 20;

/// Watches one file until dropped. [`ConfigWatch::changed`] needs a tokio runtime.
#[derive(Debug)]
pub struct ConfigWatch {
    path: PathBuf,
    reported: Contents,
    interval: Option<Interval>,
}

/// The result of one read. Links are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Contents {
    Missing,
    Unreadable(ErrorKind),
    Bytes(Vec<u8>),
}

impl ConfigWatch {
    pub(crate) fn new(path: PathBuf) -> Self {
        let reported = from_read(std::fs::read(&path));
        Self { path, reported, interval: None }
    }

    /// Waits until the contents differ from the last reported ones or, before the first report, from those at the
    /// creation of the watch. The creation and the removal of the file are changes too. Cancel safe: the next call
    /// reports a change that a cancelled call missed.
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
            if now == self.reported {
                continue;
            }
            for _ in 0..MAX_SETTLES {
                sleep(SETTLE).await;
                let next = from_read(tokio::fs::read(&self.path).await);
                if next == now {
                    break;
                }
                now = next;
            }
            if now != self.reported {
                self.reported = now;
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
