//! The running requests of one connection, with the progress and questions that arrive before their responses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{ClientRequest, ProgressNotificationParam, ProgressToken, RequestId};
use rmcp::service::{InboundStreamOrigin, Peer, PeerRequestOptions, RequestHandle, RoleClient, ServiceError};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::caller::Addressee;

/// The largest number of progress notifications that wait for a slow reader. Further ones are dropped, because a later
/// one replaces them.
const PROGRESS_BACKLOG: usize = 32;

#[derive(Clone, Debug, Default)]
pub(crate) struct RunningRequests(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    running: Mutex<HashMap<RequestId, Running>>,
    /// Held while a request is sent and inserted, so that no question is looked up in between.
    sending: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Running {
    progress_token: ProgressToken,
    progress: mpsc::Sender<ProgressNotificationParam>,
    questions: Questions,
}

/// The addressee of one request's questions, and the end of the request.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    pub addressee: Addressee,
    pub ended: CancellationToken,
}

/// The entry of a running request. Dropping it removes the entry.
pub(crate) struct RunningRequest {
    requests: RunningRequests,
    id: RequestId,
    progress: mpsc::Receiver<ProgressNotificationParam>,
    _ended: DropGuard,
}

impl RunningRequests {
    pub async fn send(
        &self,
        peer: &Peer<RoleClient>,
        request: ClientRequest,
        addressee: Addressee,
    ) -> Result<(RequestHandle<RoleClient>, RunningRequest), ServiceError> {
        let _sending = self.0.sending.lock().await;
        let handle = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await?;
        let (sender, progress) = mpsc::channel(PROGRESS_BACKLOG);
        let ended = CancellationToken::new();
        let running = Running {
            progress_token: handle.progress_token.clone(),
            progress: sender,
            questions: Questions { addressee, ended: ended.clone() },
        };
        self.running().insert(handle.id.clone(), running);
        let id = handle.id.clone();
        Ok((handle, RunningRequest { requests: self.clone(), id, progress, _ended: ended.drop_guard() }))
    }

    pub fn note_progress(&self, progress: ProgressNotificationParam) {
        let running = self.running();
        let request = running.values().find(|request| request.progress_token == progress.progress_token);
        if let Some(request) = request {
            let _ = request.progress.try_send(progress);
        }
    }

    /// Returns the addressee of a question and the end of its request, or `None` if the request is unknown.
    ///
    /// A question on a request's response stream belongs to that request. A session's own stream names no request: its
    /// questions are attributed to the running call if there is exactly one.
    pub async fn origin_of(&self, origin: Option<&InboundStreamOrigin>) -> Option<Questions> {
        let _no_request_is_being_sent = self.0.sending.lock().await;
        let running = self.running();
        let request = match origin {
            Some(InboundStreamOrigin::OutboundRequest(id)) => running.get(id),
            Some(InboundStreamOrigin::Unassociated) | None => {
                running.values().next().filter(|_| running.len() == 1)
            }
        };
        request.map(|request| request.questions.clone())
    }

    /// Returns whether no request is running.
    pub fn is_empty(&self) -> bool {
        self.running().is_empty()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RequestId, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningRequest {
    /// Returns a progress notification that has already arrived.
    pub fn pending_progress(&mut self) -> Option<ProgressNotificationParam> {
        self.progress.try_recv().ok()
    }

    /// Waits for the next progress notification, forever if none arrives.
    pub async fn progress(&mut self) -> ProgressNotificationParam {
        match self.progress.recv().await {
            Some(progress) => progress,
            None => std::future::pending().await,
        }
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.requests.running().remove(&self.id);
    }
}
