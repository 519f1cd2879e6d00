//! Watches a folder for changes to its files (inotify).

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

/// A change to a file in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileEvent {
    /// The file was created and may still be empty.
    Created,
    /// A complete file was renamed to this name.
    MovedHere,
    Deleted,
}

/// A watch on one folder, until it is dropped. It reads on its own thread, so that a busy runtime does not delay it.
#[derive(Debug)]
pub struct FolderWatch {
    inotify: Arc<OwnedFd>,
    watch: i32,
}

impl FolderWatch {
    /// Calls `on_event` for each event in the folder, which must exist.
    pub fn new(
        folder: &Path,
        mut on_event: impl FnMut(FileEvent, &str) + Send + 'static,
    ) -> Result<FolderWatch> {
        let inotify = Arc::new(inotify::init(CreateFlags::CLOEXEC)?);
        let kinds = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE | WatchFlags::ONLYDIR;
        let watch = inotify::add_watch(&inotify, folder, kinds)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
        let reader = Arc::clone(&inotify);
        std::thread::spawn(move || {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut events = inotify::Reader::new(reader, &mut buffer);
            while let Ok(event) = events.next() {
                let name = event.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
                match kind(event.events()) {
                    Some(kind) => on_event(kind, &name),
                    // The watch was removed.
                    None if event.events().contains(ReadFlags::IGNORED) => break,
                    None => {}
                }
            }
        });
        Ok(FolderWatch { inotify, watch })
    }
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        // Wakes the thread, which then ends.
        inotify::remove_watch(&self.inotify, self.watch).ok();
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
    fn each_change_is_reported() -> Result<()> {
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
            let (event, name) = events.recv_timeout(crate::wait::TIMEOUT)?;
            assert_eq!((event, name.as_str()), expected);
        }
        drop(watch);
        Ok(())
    }
}
