//! The service whose page the person asked for outside the window: in the tray, or by a click on a notification.

use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_engine::ServerId;

/// Kept until the page takes it, which may only be loading. The last click counts.
#[derive(Default)]
pub struct Wanted(Mutex<Option<ServerId>>);

impl Wanted {
    /// What the window is opened for; `None` where it is for no service.
    pub fn set(&self, server: Option<ServerId>) {
        *self.lock() = server;
    }

    /// What the page is to show. It asks once it listens, and at each event; whoever asks later is told of nothing.
    pub fn take(&self) -> Option<ServerId> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<ServerId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_click_is_taken_once() {
        let wanted = Wanted::default();
        assert_eq!(wanted.take(), None);
        for name in ["linear", "notion"] {
            wanted.set(Some(ServerId(name.to_owned())));
        }
        assert_eq!(wanted.take(), Some(ServerId("notion".to_owned())));
        assert_eq!(wanted.take(), None);

        // "Open Usher", before the page had asked for what was wanted before.
        wanted.set(Some(ServerId("notion".to_owned())));
        wanted.set(None);
        assert_eq!(wanted.take(), None);
    }
}
