//! What a holder serves and must not break off: it ends when that is done.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long a holder that is about to end still takes on work that it would have to finish. Then it sends it to
/// whoever comes after it, so that it does end.
const STILL_TAKES: Duration = Duration::from_secs(2);

/// Counts the work, and knows when no more may begin.
#[derive(Clone)]
pub(crate) struct Work(Arc<watch::Sender<State>>);

#[derive(Clone, Copy)]
struct State {
    running: usize,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    Open,
    Finishing { since: Instant },
    Ended,
}

/// A piece of work, until it is dropped.
pub(crate) struct Piece(Work);

impl Work {
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State { running: 0, phase: Phase::Open })))
    }

    /// `None` where it is too late.
    pub fn begin(&self) -> Option<Piece> {
        let begun = self.0.send_if_modified(|state| {
            let takes = match state.phase {
                Phase::Open => true,
                Phase::Finishing { since } => since.elapsed() < STILL_TAKES,
                Phase::Ended => false,
            };
            state.running += usize::from(takes);
            takes
        });
        begun.then(|| Piece(self.clone()))
    }

    /// Waits until nothing is under way, and lets nothing begin after that.
    pub async fn finish(&self) {
        self.0.send_modify(|state| {
            if let Phase::Open = state.phase {
                state.phase = Phase::Finishing { since: Instant::now() };
            }
        });
        let mut states = self.0.subscribe();
        loop {
            let ended = self.0.send_if_modified(|state| {
                let idle = state.running == 0;
                if idle {
                    state.phase = Phase::Ended;
                }
                idle
            });
            if ended || states.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_all_is_done_and_takes_nothing_on_afterwards() {
        let work = Work::new();
        let first = work.begin().expect("open");
        let ending = tokio::spawn({
            let work = work.clone();
            async move { work.finish().await }
        });
        tokio::task::yield_now().await;
        let second = work.begin().expect("not too late yet");
        drop(first);
        tokio::task::yield_now().await;
        assert!(!ending.is_finished());

        tokio::time::advance(STILL_TAKES).await;
        assert!(work.begin().is_none(), "nobody keeps a holder for ever");
        drop(second);
        ending.await.expect("it ends");
        assert!(work.begin().is_none());
    }
}
