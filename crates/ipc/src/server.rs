//! Beside the engine, in the process that holds it: listens, and serves whoever comes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use usher_engine::Engine;

use crate::HolderKind;
use crate::connection::{Serving, serve};
use crate::socket::{Address, Listener};
use crate::work::Work;

/// How long the farewells may take.
const FAREWELL: Duration = Duration::from_millis(250);
/// More processes of one person at a time than there are reasons for.
const MOST_CONNECTIONS: usize = 256;

/// What kind of program holds the engine, and what only that program can do.
pub enum Holder {
    Command,
    App {
        /// Brings its window to the front.
        show_window: Box<dyn Fn() + Send + Sync>,
    },
}

impl Holder {
    pub(crate) fn kind(&self) -> HolderKind {
        match self {
            Self::Command => HolderKind::Command,
            Self::App { .. } => HolderKind::App,
        }
    }
}

/// Serves until it is dropped. Drop it before the engine stops: the socket belongs to the holder of the lock.
pub struct Server {
    work: Work,
    ending: CancellationToken,
    accepting: JoinHandle<()>,
    address: Option<Address>,
}

impl Server {
    /// Listens in the engine's runtime folder. A socket that is there already is a dead one: the engine has the lock.
    pub fn start(engine: Engine, holder: Holder) -> io::Result<Self> {
        let (listener, address) = Listener::bind(&engine.options().runtime_dir)?;
        let work = Work::new();
        let ending = CancellationToken::new();
        let serving = Arc::new(Serving { engine, holder, work: work.clone(), ending: ending.clone() });
        let accepting = tokio::spawn(accept(listener, serving));
        Ok(Self { work, ending, accepting, address: Some(address) })
    }

    /// Ends when everything that would be lost is done: calls, sign-ins, changes. What else is under way, and whoever
    /// comes late, goes to the next holder.
    pub async fn finish(mut self) {
        self.work.finish().await;
        // Nobody may come any more, before those who are here are told.
        self.address = None;
        self.ending.cancel();
        if tokio::time::timeout(FAREWELL, &mut self.accepting).await.is_err() {
            tracing::debug!("somebody did not hear that this Usher ends");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(mut listener: Listener, serving: Arc<Serving>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = serving.ending.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be taken");
                // Out of file descriptors, most likely: not to be asked again at once.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // One too many is hung up on.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let serving = Arc::clone(&serving);
        connections.spawn(async move {
            serve(stream, peer, serving).await;
            drop(place);
        });
    }
    while connections.join_next().await.is_some() {}
}
