//! A text in the page that is lost if the window closes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time after which a second request closes the window, so that a page that does not respond cannot keep it open.
/// Two clicks in a row are one request.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the page has such a text, as it last reported.
#[derive(Default)]
pub struct UnsavedText(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    None,
    Unsaved,
    /// The page was told to ask the person.
    Asked {
        at: Instant,
    },
}

impl UnsavedText {
    pub fn set(&self, is_unsaved: bool) {
        *self.lock() = if is_unsaved { State::Unsaved } else { State::None };
    }

    /// Whether the window may close now. Otherwise, the caller must tell the page.
    pub fn may_end(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match *state {
            State::None => true,
            State::Unsaved => {
                *state = State::Asked { at: now };
                false
            }
            State::Asked { at } => now.duration_since(at) >= PATIENCE,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsaved_text_keeps_the_window_open_until_the_person_decides() {
        let (unsaved, now) = (UnsavedText::default(), Instant::now());
        assert!(unsaved.may_end(now));
        unsaved.set(true);
        assert!(!unsaved.may_end(now));
        assert!(!unsaved.may_end(now + Duration::from_millis(300)), "a double click");
        // The person goes on editing.
        unsaved.set(true);
        assert!(!unsaved.may_end(now + Duration::from_secs(60)));
        unsaved.set(false);
        assert!(unsaved.may_end(now + Duration::from_secs(60)));
    }

    #[test]
    fn a_page_that_does_not_respond_does_not_keep_the_window_open() {
        let (unsaved, now) = (UnsavedText::default(), Instant::now());
        unsaved.set(true);
        assert!(!unsaved.may_end(now));
        assert!(unsaved.may_end(now + PATIENCE));
    }
}
