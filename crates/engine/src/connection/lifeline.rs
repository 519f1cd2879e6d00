//! What a connection notices while nobody calls: a stream that broke off, or that the server no longer gives us.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::connection::fault::Fault;

/// Between the streams of a connection and whoever watches over it. Cloning gives another end for a stream.
#[derive(Clone, Debug)]
pub(crate) struct Lifeline {
    faults: mpsc::UnboundedSender<Fault>,
    sign_ins: Arc<watch::Sender<u64>>,
}

/// Waits for the next sign-in.
pub(crate) struct NextSignIn(watch::Receiver<u64>);

impl Lifeline {
    /// The other end tells what the streams noticed.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Fault>) {
        let (faults, noticed) = mpsc::unbounded_channel();
        (Self { faults, sign_ins: Arc::new(watch::Sender::new(0)) }, noticed)
    }

    pub fn report(&self, fault: Fault) {
        // Whoever watched has gone with the connection.
        let _ = self.faults.send(fault);
    }

    /// The connection goes on with a new sign-in: streams that were refused may try again.
    pub fn signed_in(&self) {
        self.sign_ins.send_modify(|count| *count += 1);
    }

    /// To be asked for before the try that may be refused, so that no sign-in is missed.
    pub fn next_sign_in(&self) -> NextSignIn {
        NextSignIn(self.sign_ins.subscribe())
    }
}

impl NextSignIn {
    pub async fn came(mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
