//! Reports changes to `mcp.json` by polling.
//!
//! The system's file notifications watch folders and files, not paths. They would need extra code for missing folders,
//! symbolic links, editors that replace files, and network drives. Reading one small file twice a second is cheap, and
//! works in all these cases.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use crate::limited_read::read_limited;
use crate::text::MAX_BYTES;

const INTERVAL: Duration = Duration::from_millis(500);
/// The delay between two reads. If both return the same contents, the file is no longer being written.
const SETTLE: Duration = Duration::from_millis(50);
/// The maximum number of such reads. After the last one, a change is reported even if the file is still being written.
const MAX_SETTLES: usize = 20;
/// The maximum number of such reads while the file is empty or missing. Some editors empty or remove a file for a moment
/// when they save it, and every server would stop.
const MAX_VANISHED: usize = 40;

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
        let reported = from_read(read_limited(&path, MAX_BYTES));
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
            let mut now = read(&self.path).await;
            if now == self.reported {
                continue;
            }
            for reads in 1.. {
                sleep(SETTLE).await;
                let next = read(&self.path).await;
                let is_stable = next == now;
                now = next;
                let has_vanished = now.is_empty() && !self.reported.is_empty();
                if reads >= MAX_VANISHED || (!has_vanished && (is_stable || reads >= MAX_SETTLES)) {
                    break;
                }
            }
            if now != self.reported {
                self.reported = now;
                return;
            }
        }
    }
}

impl Contents {
    /// Whether the file has no text, or does not exist.
    fn is_empty(&self) -> bool {
        match self {
            Contents::Missing => true,
            Contents::Unreadable(_) => false,
            Contents::Bytes(bytes) => bytes.trim_ascii().is_empty(),
        }
    }
}

async fn read(path: &Path) -> Contents {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_limited(&path, MAX_BYTES)).await;
    from_read(read.unwrap_or_else(|panic| Err(std::io::Error::other(panic))))
}

fn from_read(read: std::io::Result<Vec<u8>>) -> Contents {
    match read {
        Ok(bytes) => Contents::Bytes(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Contents::Missing,
        Err(error) => Contents::Unreadable(error.kind()),
    }
}
