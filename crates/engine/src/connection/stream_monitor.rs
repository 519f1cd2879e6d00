//! Reports of streams that break off or that the server stops offering. They reveal a fault even if no call is running.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::fault::Fault;

/// The sending half, for the streams of one connection. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct StreamMonitor {
    faults: mpsc::UnboundedSender<Fault>,
    sign_ins: Arc<watch::Sender<u64>>,
}

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

    /// Signals that the connection continues with a new grant. Rejected streams then try again.
    pub fn signed_in(&self) {
        self.sign_ins.send_modify(|count| *count += 1);
    }

    /// Returns a future that waits for the next sign-in. Call this method before an attempt that may be rejected, so
    /// that no sign-in is missed.
    pub fn next_sign_in(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut sign_ins = self.sign_ins.subscribe();
        async move {
            if sign_ins.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
