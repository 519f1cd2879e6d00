//! A text in the page that is lost if the window closes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time in which the page must acknowledge a request to close the window. After that, a second request closes it, so
/// that a page that does not respond cannot keep it open. Two clicks in a row are one request.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the page has such a text, as it last reported.
#[derive(Default)]
pub struct UnsavedText(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    None,
    Unsaved,
    /// The page was told to ask the person, and has not acknowledged it.
    Asked {
        at: Instant,
    },
}

impl UnsavedText {
    pub fn set(&self, is_unsaved: bool) {
        *self.lock() = if is_unsaved { State::Unsaved } else { State::None };
    }

    /// Records that the page shows its question. The window then stays open until the person answers. A later request is
    /// sent to the page again and needs its own acknowledgement, because the page may have stopped responding meanwhile.
    pub fn acknowledge(&self) {
        let mut state = self.lock();
        match *state {
            State::None | State::Unsaved => {}
            State::Asked { .. } => *state = State::Unsaved,
        }
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
    fn a_shown_question_keeps_the_window_open_until_the_person_answers() {
        let (unsaved, now) = (UnsavedText::default(), Instant::now());
        unsaved.set(true);
        for minutes in 0..3 {
            let now = now + Duration::from_secs(60 * minutes);
            assert!(!unsaved.may_end(now), "after {minutes} min");
            unsaved.acknowledge();
        }
        // The person discards the text, and a late acknowledgement arrives.
        unsaved.set(false);
        unsaved.acknowledge();
        assert!(unsaved.may_end(now));
    }

    #[test]
    fn a_page_that_stops_responding_after_its_question_does_not_keep_the_window_open() {
        let (unsaved, now) = (UnsavedText::default(), Instant::now());
        unsaved.set(true);
        assert!(!unsaved.may_end(now));
        unsaved.acknowledge();
        assert!(!unsaved.may_end(now + PATIENCE));
        assert!(unsaved.may_end(now + 2 * PATIENCE));
    }

    #[test]
    fn a_page_that_does_not_respond_does_not_keep_the_window_open() {
        let (unsaved, now) = (UnsavedText::default(), Instant::now());
        unsaved.set(true);
        assert!(!unsaved.may_end(now));
        assert!(unsaved.may_end(now + PATIENCE));
    }
}
