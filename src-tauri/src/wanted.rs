//! The page that the person asked for outside the window: by a click in the tray, or on a notification.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use specta::Type;
use usher_api::{ErrorView, ServerId};

/// A service's page, and what the person is to read there.
#[derive(Clone, Debug, PartialEq, Serialize, Type)]
pub struct WantedPage {
    pub server: ServerId,
    /// Why what was clicked came to nothing.
    pub error: Option<ErrorView>,
}

/// Kept until the page takes it, which may only be loading. The last click counts.
#[derive(Default)]
pub struct Wanted(Mutex<Option<WantedPage>>);

impl Wanted {
    /// What the window is opened for; `None` where it is for nothing in particular.
    pub fn set(&self, page: Option<WantedPage>) {
        *self.lock() = page;
    }

    /// What is to be shown. The page asks once it listens, and at each event; whoever asks later is told of nothing.
    pub fn take(&self) -> Option<WantedPage> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<WantedPage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_click_is_taken_once() {
        let page_of = |name: &str| Some(WantedPage { server: ServerId(name.to_owned()), error: None });
        let wanted = Wanted::default();
        assert_eq!(wanted.take(), None);
        wanted.set(page_of("linear"));
        wanted.set(page_of("notion"));
        assert_eq!(wanted.take(), page_of("notion"));
        assert_eq!(wanted.take(), None);

        // "Open Usher", before the page had asked for what was wanted before.
        wanted.set(page_of("notion"));
        wanted.set(None);
        assert_eq!(wanted.take(), None);
    }
}
