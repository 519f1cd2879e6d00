//! The running requests of one connection, with the progress and questions that arrive before their responses, and
//! with their results as the server sent them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rmcp::model::{ClientRequest, ProgressToken, RequestId};
use rmcp::service::{InboundStreamOrigin, Peer, PeerRequestOptions, RequestHandle, RoleClient, ServiceError};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use usher_budgets as budgets;

use super::progress::Progress;
use crate::caller::Addressee;

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
    kind: ResultKind,
    progress_token: ProgressToken,
    progress: mpsc::Sender<Progress>,
    /// `None` for a request that gives the server no reason to ask something, such as a list.
    questions: Option<Questions>,
    /// The result as JSON text.
    result: Option<Bytes>,
}

/// The kinds of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultKind {
    /// A list of tools.
    Tools,
    Other,
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
    progress: mpsc::Receiver<Progress>,
    _ended: DropGuard,
}

impl RunningRequests {
    /// Sends a request. The server's questions go to the addressee, if there is one.
    pub async fn send(
        &self,
        peer: &Peer<RoleClient>,
        request: ClientRequest,
        addressee: Option<Addressee>,
    ) -> Result<(RequestHandle<RoleClient>, RunningRequest), ServiceError> {
        let _sending = self.0.sending.lock().await;
        let kind = match &request {
            ClientRequest::ListToolsRequest(_) => ResultKind::Tools,
            _ => ResultKind::Other,
        };
        let handle = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await?;
        let (sender, progress) = mpsc::channel(budgets::PROGRESS_BACKLOG);
        let ended = CancellationToken::new();
        let running = Running {
            kind,
            progress_token: handle.progress_token.clone(),
            progress: sender,
            questions: addressee.map(|addressee| Questions { addressee, ended: ended.clone() }),
            result: None,
        };
        self.running().insert(handle.id.clone(), running);
        let id = handle.id.clone();
        Ok((handle, RunningRequest { requests: self.clone(), id, progress, _ended: ended.drop_guard() }))
    }

    pub async fn note_progress(&self, progress: Progress) {
        let Some(token) = progress.token() else { return };
        let _no_request_is_being_sent = self.0.sending.lock().await;
        let running = self.running();
        let request = running.values().find(|request| request.progress_token == token);
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
        let mut with_questions = running.values().filter_map(|request| request.questions.as_ref());
        let questions = match origin {
            Some(InboundStreamOrigin::OutboundRequest(id)) => {
                running.get(id).and_then(|request| request.questions.as_ref())
            }
            Some(InboundStreamOrigin::Unassociated) | None => {
                with_questions.next().filter(|_| with_questions.next().is_none())
            }
        };
        questions.cloned()
    }

    /// Stores the result of a running request. Returns `None` if no such request is running.
    pub async fn set_result(&self, id: &RequestId, result: Bytes) -> Option<ResultKind> {
        let _no_request_is_being_sent = self.0.sending.lock().await;
        let mut running = self.running();
        let id = match id {
            // Some servers send the number back as a string. rmcp accepts that too.
            RequestId::String(text) if !running.contains_key(id) => RequestId::Number(text.parse().ok()?),
            RequestId::String(_) | RequestId::Number(_) => id.clone(),
        };
        let request = running.get_mut(&id)?;
        request.result = Some(result);
        Some(request.kind)
    }

    /// Returns whether no call is running.
    pub fn is_empty(&self) -> bool {
        self.running().values().all(|request| request.questions.is_none())
    }

    fn running(&self) -> MutexGuard<'_, HashMap<RequestId, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningRequest {
    /// Takes the result as JSON text, after the response arrived.
    pub fn take_result(&mut self) -> Option<Bytes> {
        self.requests.running().get_mut(&self.id)?.result.take()
    }

    /// Returns a progress notification that has already arrived.
    pub fn pending_progress(&mut self) -> Option<Progress> {
        self.progress.try_recv().ok()
    }

    /// Waits for the next progress notification, forever if none arrives.
    pub async fn progress(&mut self) -> Progress {
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
