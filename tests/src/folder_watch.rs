//! What happens to the files of a folder, told by the system as it happens (inotify).

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

/// What happened to a file of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileEvent {
    /// It is there, with nothing in it yet.
    Created,
    /// It took this name, with all that is in it.
    MovedHere,
    Deleted,
}

/// A watch over one folder, from its making on. A thread of its own reads, so that no busy runtime delays it.
#[derive(Debug)]
pub struct FolderWatch {
    over: Arc<AtomicBool>,
}

/// How often the thread looks whether anybody still wants to know.
const GLANCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

impl FolderWatch {
    /// Calls `told` for each event of the folder, which must be there, until this is dropped.
    pub fn new(folder: &Path, mut told: impl FnMut(FileEvent, &str) + Send + 'static) -> Result<FolderWatch> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let kinds = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE | WatchFlags::ONLYDIR;
        inotify::add_watch(&inotify, folder, kinds)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let mut ready = [PollFd::new(&inotify, PollFlags::IN)];
                if matches!(poll(&mut ready, Some(&GLANCE)), Ok(1..)) {
                    read(&inotify, &mut told);
                }
            }
        });
        Ok(FolderWatch { over })
    }
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Tells what has happened so far.
fn read(inotify: &OwnedFd, told: &mut impl FnMut(FileEvent, &str)) {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(inotify, &mut buffer);
    // Until there are no more for now; an error of another kind comes again with the next one.
    while let Ok(event) = events.next() {
        let name = event.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if let Some(kind) = kind(event.events()) {
            told(kind, &name);
        }
    }
}

fn kind(flags: ReadFlags) -> Option<FileEvent> {
    [
        (ReadFlags::CREATE, FileEvent::Created),
        (ReadFlags::MOVED_TO, FileEvent::MovedHere),
        (ReadFlags::DELETE, FileEvent::Deleted),
    ]
    .into_iter()
    .find_map(|(flag, kind)| flags.contains(flag).then_some(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (sender, events) = std::sync::mpsc::channel();
        let watch = FolderWatch::new(folder.path(), move |event, name| {
            sender.send((event, name.to_owned())).ok();
        })?;
        std::fs::write(folder.path().join("one"), "1")?;
        std::fs::rename(folder.path().join("one"), folder.path().join("two"))?;
        std::fs::remove_file(folder.path().join("two"))?;
        for expected in
            [(FileEvent::Created, "one"), (FileEvent::MovedHere, "two"), (FileEvent::Deleted, "two")]
        {
            let (event, name) = events.recv_timeout(crate::wait::PATIENCE)?;
            assert_eq!((event, name.as_str()), expected);
        }
        drop(watch);
        Ok(())
    }
}
