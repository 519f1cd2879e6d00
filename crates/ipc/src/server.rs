//! The holder's listener for other processes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use usher_engine::Engine;
use usher_gateway::Gateway;

use crate::Holder;
use crate::clients::Clients;
use crate::session::{END_DEADLINE, SessionConnection, SessionContext, serve};
use crate::socket::{Listener, SocketFile};
use crate::work::WorkTracker;

/// The listener for other processes, until it is dropped. Drop it before the engine stops and releases the lock,
/// because the socket belongs to the holder of the lock.
pub struct Server {
    clients: Clients,
    work: WorkTracker,
    ending: CancellationToken,
    accepting: AbortOnDropHandle<()>,
    socket_file: Option<SocketFile>,
}

impl Server {
    /// Listens in the engine's runtime folder. An existing socket there is stale, because the engine has the lock.
    pub fn start(engine: Engine, holder: Holder) -> io::Result<Self> {
        let (listener, socket_file) = Listener::bind(&engine.options().runtime_dir)?;
        let work = WorkTracker::new();
        let ending = CancellationToken::new();
        let clients = Clients::default();
        let gateway = Gateway::start(engine.for_another());
        let context =
            Arc::new(SessionContext { engine, holder, gateway, work: work.clone(), ending: ending.clone() });
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, clients.clone(), context)));
        Ok(Self { clients, work, ending, accepting, socket_file: Some(socket_file) })
    }

    /// Waits until no client has been connected for this long.
    pub async fn idle(&self, duration: Duration) {
        self.clients.idle(duration).await;
    }

    /// Finishes the work that must not be interrupted (calls, sign-ins, changes), then stops listening. Until then, it
    /// also serves other requests and new clients. Later ones go to the next holder.
    pub async fn finish(mut self) {
        self.work.finish().await;
        // Removes the socket first, so that no client connects after the existing clients are notified.
        self.socket_file = None;
        self.ending.cancel();
        if tokio::time::timeout(END_DEADLINE, &mut self.accepting).await.is_err() {
            tracing::debug!("a client did not read the last message in time");
        }
    }
}

async fn accept(mut listener: Listener, clients: Clients, context: Arc<SessionContext>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = context.ending.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                // Most likely no file descriptors are left, so an immediate retry would spin.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let leave = context.ending.child_token();
        // Closes the connection if there are too many busy ones.
        let Some(slot) = clients.admit(leave.clone()) else { continue };
        connections.spawn(serve(stream, peer, SessionConnection { slot, leave }, Arc::clone(&context)));
    }
    while connections.join_next().await.is_some() {}
}
