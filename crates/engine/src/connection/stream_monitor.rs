//! Reports about streams that break off, or that the server stops offering, while no call runs.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::fault::Fault;

/// The sending half, for the streams of one connection. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct StreamMonitor {
    faults: mpsc::UnboundedSender<Fault>,
    sign_ins: Arc<watch::Sender<u64>>,
}

/// Waits for the next sign-in.
pub(crate) struct NextSignIn(watch::Receiver<u64>);

impl StreamMonitor {
    /// Returns the monitor, and the receiver of the reported faults.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Fault>) {
        let (faults, reported) = mpsc::unbounded_channel();
        (Self { faults, sign_ins: Arc::new(watch::Sender::new(0)) }, reported)
    }

    pub fn report(&self, fault: Fault) {
        // Fails only if the connection is gone.
        let _ = self.faults.send(fault);
    }

    /// Notes that the connection continues with a new grant: streams that were rejected may try again.
    pub fn signed_in(&self) {
        self.sign_ins.send_modify(|count| *count += 1);
    }

    /// Call this before a try that may be rejected, so that no sign-in is missed.
    pub fn next_sign_in(&self) -> NextSignIn {
        NextSignIn(self.sign_ins.subscribe())
    }
}

impl NextSignIn {
    pub async fn wait(mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
