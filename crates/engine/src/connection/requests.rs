//! The requests of calls that run over one connection: what comes before their answers, and whom that is for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{ClientRequest, ProgressNotificationParam, ProgressToken, RequestId};
use rmcp::service::{InboundStreamOrigin, Peer, PeerRequestOptions, RequestHandle, RoleClient, ServiceError};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::caller::Addressee;

/// Progress that a slow reader may fall behind; more is dropped, the next one says more anyway.
const PROGRESS_BACKLOG: usize = 32;

#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    running: Mutex<HashMap<RequestId, Running>>,
    /// Held from the sending of a request until it is known here, so that no question is looked up in between.
    sending: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Running {
    progress_token: ProgressToken,
    progress: mpsc::Sender<ProgressNotificationParam>,
    questions: Questions,
}

/// Whom the questions of one request are for, and when nobody wants them answered any more.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    pub addressee: Addressee,
    pub ended: CancellationToken,
}

/// One request, until it is dropped.
pub(crate) struct RunningRequest {
    requests: Requests,
    id: RequestId,
    progress: mpsc::Receiver<ProgressNotificationParam>,
    _ended: DropGuard,
}

impl Requests {
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

    pub fn progressed(&self, progress: ProgressNotificationParam) {
        let running = self.running();
        let request = running.values().find(|request| request.progress_token == progress.progress_token);
        if let Some(request) = request {
            let _ = request.progress.try_send(progress);
        }
    }

    /// Whose question it is that came by this stream; `None` where it belongs to no call. The stream of a request's
    /// answer is that request's. A session's own stream names none: what comes there is taken to be of the one call
    /// that runs, and where several do, nobody can tell.
    pub async fn asked_by(&self, origin: Option<&InboundStreamOrigin>) -> Option<Questions> {
        let _none_is_half_sent = self.0.sending.lock().await;
        let running = self.running();
        let request = match origin {
            Some(InboundStreamOrigin::OutboundRequest(id)) => running.get(id),
            Some(InboundStreamOrigin::Unassociated) | None => {
                running.values().next().filter(|_| running.len() == 1)
            }
        };
        request.map(|request| request.questions.clone())
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RequestId, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningRequest {
    /// A step that the server has told of already.
    pub fn progress_so_far(&mut self) -> Option<ProgressNotificationParam> {
        self.progress.try_recv().ok()
    }

    /// The next step that the server tells of. Never ends by itself.
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
