//! The work that a holder finishes before it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long an ending holder still accepts work. Later work goes to the next holder. Without this limit, new work could
/// keep a holder running forever.
const GRACE_PERIOD: Duration = Duration::from_secs(2);

/// Counts the running work and decides whether more may begin.
#[derive(Clone)]
pub(crate) struct WorkTracker(Arc<watch::Sender<State>>);

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

/// One piece of work. It is finished when this is dropped.
pub(crate) struct WorkGuard(WorkTracker);

impl WorkTracker {
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State { running: 0, phase: Phase::Open })))
    }

    /// Begins a piece of work. Returns `None` if the holder no longer accepts work.
    pub fn begin(&self) -> Option<WorkGuard> {
        let begun = self.0.send_if_modified(|state| {
            let accepts = match state.phase {
                Phase::Open => true,
                Phase::Finishing { since } => since.elapsed() < GRACE_PERIOD,
                Phase::Ended => false,
            };
            state.running += usize::from(accepts);
            accepts
        });
        begun.then(|| WorkGuard(self.clone()))
    }

    /// Waits until no work is running. No work can begin after that.
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

impl Drop for WorkGuard {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_holder_ends_when_all_work_is_finished_and_accepts_none_afterwards() {
        let work = WorkTracker::new();
        let first = work.begin().expect("open");
        let ending = tokio::spawn({
            let work = work.clone();
            async move { work.finish().await }
        });
        tokio::task::yield_now().await;
        let second = work.begin().expect("still in the grace period");
        drop(first);
        tokio::task::yield_now().await;
        assert!(!ending.is_finished());

        tokio::time::advance(GRACE_PERIOD).await;
        assert!(work.begin().is_none(), "accepted work after the grace period");
        drop(second);
        ending.await.expect("finish");
        assert!(work.begin().is_none());
    }
}
