//! Replies of the token endpoint that wait until the test releases them.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, watch};

use crate::FakeService;

pub(crate) struct TokenGate {
    is_closed: AtomicBool,
    /// One permit for each reply that may leave.
    released: Semaphore,
    /// The number of token requests that were not answered yet.
    waiting: watch::Sender<usize>,
}

impl Default for TokenGate {
    fn default() -> Self {
        TokenGate {
            is_closed: AtomicBool::new(false),
            released: Semaphore::new(0),
            waiting: watch::Sender::new(0),
        }
    }
}

impl TokenGate {
    /// Waits for the release of one reply, if replies are held. Ends early when the client disconnects.
    pub async fn pass(&self) {
        if self.is_closed.load(Ordering::SeqCst) {
            let _waiting = Waiting::begin(&self.waiting);
            if let Ok(permit) = self.released.acquire().await {
                permit.forget();
            }
        }
    }
}

struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|count| *count += 1);
        Waiting(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl FakeService {
    /// Holds each reply of the token endpoint until [`FakeService::release_token_reply`]. Tokens are rotated before.
    pub fn hold_token_replies(&self) {
        self.shared.gate.is_closed.store(true, Ordering::SeqCst);
    }

    /// Releases one reply of the token endpoint: one that is held, or the next one.
    pub fn release_token_reply(&self) {
        self.shared.gate.released.add_permits(1);
    }

    /// Waits until no reply is held: released, or its client has disconnected.
    pub async fn until_no_reply_is_held(&self) {
        let mut waiting = self.shared.gate.waiting.subscribe();
        // The sender lives as long as this service.
        let _ = waiting.wait_for(|count| *count == 0).await;
    }
}
