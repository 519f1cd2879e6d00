//! Replies of the token endpoint that wait until the test releases them.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, watch};

pub(crate) struct TokenGate {
    pub is_closed: AtomicBool,
    /// One permit for each released reply.
    pub released: Semaphore,
    /// The number of held replies.
    pub waiting: watch::Sender<usize>,
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
    /// Waits for the release of one reply if replies are held. The wait ends early when the client disconnects.
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
