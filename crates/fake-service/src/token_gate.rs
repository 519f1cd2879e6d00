//! Replies of the token endpoint that wait until the test releases them.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, watch};

pub(crate) struct TokenGate {
    pub is_closed: AtomicBool,
    /// One permit for each released reply.
    pub released: Semaphore,
    /// One receiver for each held reply.
    pub held: watch::Sender<()>,
}

impl Default for TokenGate {
    fn default() -> Self {
        TokenGate {
            is_closed: AtomicBool::new(false),
            released: Semaphore::new(0),
            held: watch::Sender::new(()),
        }
    }
}

impl TokenGate {
    /// Waits for the release of one reply if replies are held. The wait ends early when the client disconnects.
    pub async fn pass(&self) {
        if self.is_closed.load(Ordering::SeqCst) {
            let _held = self.held.subscribe();
            if let Ok(permit) = self.released.acquire().await {
                permit.forget();
            }
        }
    }
}
