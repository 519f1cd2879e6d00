//! A live MCP connection: the handshake of whichever era, the lists, the calls. Every wait has a deadline.

pub(crate) mod calls;
pub(crate) mod changes;
pub(crate) mod client;
pub(crate) mod content;
pub(crate) mod elicitation;
pub(crate) mod event_stream;
pub(crate) mod fault;
pub(crate) mod hidden_refusal;
pub(crate) mod lifeline;
pub(crate) mod listening;
mod pages;
pub(crate) mod requests;
pub(crate) mod rmcp_fault;
pub(crate) mod transport;
pub(crate) mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, InputRequest, InputRequests,
    InputResponses, Prompt, ProtocolVersion, Resource, ServerResult, Tool,
};
use rmcp::service::{
    ClientCacheConfig, ClientLifecycleMode, Peer, RoleClient, serve_client_with_lifecycle_and_ct,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use secrecy::SecretString;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ServerId;
use crate::caller::Addressee;
use crate::connection::changes::Changes;
use crate::connection::client::Client;
use crate::connection::elicitation::Elicitations;
use crate::connection::fault::Fault;
use crate::connection::lifeline::Lifeline;
use crate::connection::pages::pages;
use crate::connection::requests::Requests;
use crate::connection::rmcp_fault::{from_initialize, from_service};
use crate::connection::transport::Transport;
use crate::credentials::Credentials;

/// A listing this young is not asked for again.
const LISTING_IS_FRESH: Duration = Duration::from_secs(5);
/// How often a call may come back with questions before it is given up.
const MAX_ROUNDS: usize = 10;
/// Progress keeps a call alive, but not for ever.
const LONGEST_CALL: Duration = Duration::from_secs(60 * 60);

/// Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Connection {
    server: ServerId,
    peer: Peer<RoleClient>,
    elicitations: Arc<Elicitations>,
    requests: Requests,
    listing: Mutex<Option<(Instant, Arc<Vec<Tool>>)>>,
    lifeline: Lifeline,
    credentials: Option<Credentials>,
    closing: CancellationToken,
    _close_on_drop: DropGuard,
    closed: CancellationToken,
}

/// What a call needs beside its arguments.
pub(crate) struct CallTerms<'a> {
    /// The server may be silent for so long.
    pub silence: Duration,
    pub cancelled: CancellationToken,
    /// Whom the server's questions are for.
    pub addressee: Addressee,
    pub on_progress: &'a (dyn Fn(f64, Option<f64>, Option<String>) + Send + Sync),
}

impl Connection {
    /// Speaks to a server for the first time: `server/discover`, else `initialize`.
    pub async fn open(
        transport: Transport,
        uri: Arc<str>,
        client: Client,
        lifeline: Lifeline,
    ) -> Result<Self, Fault> {
        let mut config = StreamableHttpClientTransportConfig::with_uri(uri);
        let mut backoff = ExponentialBackoff::default();
        backoff.max_times = Some(5);
        backoff.max_delay = Some(Duration::from_secs(10));
        config.retry_config = Arc::new(backoff);
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
        };
        let server = client.server.clone();
        let (elicitations, requests) = (Arc::clone(&client.elicitations), client.requests.clone());
        let credentials = transport.credentials();
        let closing = CancellationToken::new();
        let close_on_drop = closing.clone().drop_guard();
        let transport = StreamableHttpClientTransport::with_client(transport, config);
        let service = serve_client_with_lifecycle_and_ct(client, transport, lifecycle, closing.clone())
            .await
            .map_err(from_initialize)?;
        let peer = service.peer().clone();
        // A list that comes back old where the server refuses us would hide that it does.
        peer.set_response_cache_config(ClientCacheConfig::default().with_serve_stale_on_error(false)).await;
        let closed = CancellationToken::new();
        let close = closed.clone().drop_guard();
        tokio::spawn(async move {
            let _ = service.waiting().await;
            drop(close);
        });
        Ok(Self {
            server,
            peer,
            elicitations,
            requests,
            listing: Mutex::default(),
            lifeline,
            credentials,
            closing,
            _close_on_drop: close_on_drop,
            closed,
        })
    }

    /// The revision of MCP in use.
    pub fn protocol(&self) -> String {
        self.peer.peer_info().map(|info| info.protocol_version.as_str().to_owned()).unwrap_or_default()
    }

    /// What the server calls itself.
    pub fn title(&self) -> Option<String> {
        let info = self.peer.peer_info()?;
        let implementation = info.server_info.as_ref()?;
        implementation
            .title
            .clone()
            .or_else(|| Some(implementation.name.clone()))
            .filter(|name| !name.is_empty())
    }

    /// Ends the connection and waits until the server was told, for at most `patience`.
    pub async fn close(&self, patience: Duration) {
        self.closing.cancel();
        let _ = tokio::time::timeout(patience, self.closed.cancelled()).await;
    }

    /// Ends the connection and every call over it, without waiting.
    pub fn end_now(&self) {
        self.closing.cancel();
    }

    /// Cancelled when the connection ended, whoever ended it.
    pub fn end(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// The tools: a listing of the last few seconds, or a new one with all its pages.
    pub async fn tools(&self) -> Result<Arc<Vec<Tool>>, Fault> {
        if let Some((at, tools)) = &*self.listing.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < LISTING_IS_FRESH
        {
            return Ok(Arc::clone(tools));
        }
        self.list_tools().await
    }

    /// The last listing, however old.
    pub fn listed(&self) -> Option<Arc<Vec<Tool>>> {
        let listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        listing.as_ref().map(|(_, tools)| Arc::clone(tools))
    }

    /// Lists the tools anew.
    pub async fn list_tools(&self) -> Result<Arc<Vec<Tool>>, Fault> {
        let tools = pages(|page| async {
            self.peer.list_tools(page).await.map(|list| (list.tools, list.next_cursor))
        })
        .await?;
        let tools = Arc::new(tools);
        *self.listing.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), Arc::clone(&tools)));
        Ok(tools)
    }

    /// Asks the server itself, past every cache, whether the sign-in of now is good.
    pub async fn prove(&self) -> Result<Arc<Vec<Tool>>, Fault> {
        self.peer.clear_response_cache().await;
        let tools = self.list_tools().await?;
        self.lifeline.signed_in();
        Ok(tools)
    }

    /// Listens to what the server tells by itself, until the connection ends.
    pub fn listen(&self, changes: Arc<Changes>) {
        let (peer, lifeline, closed) = (self.peer.clone(), self.lifeline.clone(), self.closed.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                () = listening::listen(peer, &changes, &lifeline) => {}
            }
        });
    }

    /// The token that a request would carry now, without asking anybody.
    pub fn token_at_hand(&self) -> Option<SecretString> {
        self.credentials.as_ref()?.token_at_hand()
    }

    /// Another token than the refused one; `None` where there is no way to one.
    pub async fn renew(&self, refused: &SecretString) -> Result<Option<SecretString>, Fault> {
        match &self.credentials {
            Some(credentials) => Ok(credentials.renew(refused).await?),
            None => Ok(None),
        }
    }

    /// Whether a tool may be called again when nobody knows what became of the first call.
    pub fn may_repeat(&self, tool: &str) -> bool {
        let tools = self.listed().unwrap_or_default();
        let annotations =
            tools.iter().find(|known| known.name == tool).and_then(|known| known.annotations.as_ref());
        annotations
            .is_some_and(|hints| hints.read_only_hint == Some(true) || hints.idempotent_hint == Some(true))
    }

    /// A tool's title, or its name.
    pub fn title_of(&self, tool: &str) -> String {
        let tools = self.listed().unwrap_or_default();
        let title =
            tools.iter().find(|known| known.name == tool).and_then(|known| content::tool(known).title);
        title.unwrap_or_else(|| tool.to_owned())
    }

    pub async fn list_resources(&self) -> Result<Vec<Resource>, Fault> {
        if self.peer.peer_info().is_none_or(|info| info.capabilities.resources.is_none()) {
            return Ok(Vec::new());
        }
        pages(|page| async {
            self.peer.list_resources(page).await.map(|list| (list.resources, list.next_cursor))
        })
        .await
    }

    pub async fn list_prompts(&self) -> Result<Vec<Prompt>, Fault> {
        if self.peer.peer_info().is_none_or(|info| info.capabilities.prompts.is_none()) {
            return Ok(Vec::new());
        }
        pages(|page| async {
            self.peer.list_prompts(page).await.map(|list| (list.prompts, list.next_cursor))
        })
        .await
    }

    /// Calls a tool, and answers what the server wants to know first, round after round.
    pub async fn call_tool(
        &self,
        mut params: CallToolRequestParams,
        terms: &CallTerms<'_>,
    ) -> Result<CallToolResult, Fault> {
        for round in 0..MAX_ROUNDS {
            let request = CallToolRequest::new(params.clone());
            match self.request(ClientRequest::CallToolRequest(request), terms).await? {
                ServerResult::CallToolResult(result) => return Ok(result),
                ServerResult::InputRequiredResult(asked) => {
                    let requests = asked.input_requests.unwrap_or_default();
                    if requests.is_empty() {
                        if asked.request_state.is_none() {
                            return Err(unexpected("it asks for input without saying which"));
                        }
                        // The server only wants to be asked again: not at once, so as not to spin.
                        tokio::time::sleep(Duration::from_millis(50 << round.min(4))).await;
                    }
                    let responses = self.answer(requests, terms).await?;
                    params.input_responses = (!responses.is_empty()).then_some(responses);
                    params.request_state = asked.request_state;
                }
                _ => return Err(unexpected("its answer is not that of a tool")),
            }
        }
        Err(unexpected("it keeps asking for input"))
    }

    /// One request with its deadline, which progress and questions to the person begin anew.
    async fn request(&self, request: ClientRequest, terms: &CallTerms<'_>) -> Result<ServerResult, Fault> {
        let sent = self.requests.send(&self.peer, request, terms.addressee.clone()).await;
        let (mut handle, mut running) = sent.map_err(from_service)?;
        let silence = terms.silence.min(LONGEST_CALL);
        let begun = tokio::time::Instant::now();
        let mut silent_until = begun + silence;
        let fault = loop {
            tokio::select! {
                biased;
                answer = &mut handle.rx => {
                    while let Some(step) = running.progress_so_far() {
                        (terms.on_progress)(step.progress, step.total, step.message);
                    }
                    return answer.map_err(|_| Fault::Lost)?.map_err(from_service);
                }
                step = running.progress() => {
                    silent_until = tokio::time::Instant::now() + silence;
                    (terms.on_progress)(step.progress, step.total, step.message);
                }
                () = terms.cancelled.cancelled() => break Fault::Cancelled,
                () = self.closed.cancelled() => break Fault::Lost,
                () = tokio::time::sleep_until(silent_until.min(begun + LONGEST_CALL)) => {
                    if !self.elicitations.waits(&self.server, &terms.addressee) || begun.elapsed() >= LONGEST_CALL {
                        break Fault::TimedOut(begun.elapsed().as_secs());
                    }
                    silent_until = tokio::time::Instant::now() + silence;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), handle.cancel(Some(fault.to_string()))).await;
        Err(fault)
    }

    async fn answer(&self, requests: InputRequests, terms: &CallTerms<'_>) -> Result<InputResponses, Fault> {
        let mut responses = InputResponses::new();
        for (key, request) in requests {
            let response = match request {
                InputRequest::Elicitation(request) => {
                    let asked = self.elicitations.ask(&self.server, terms.addressee.clone(), request.params);
                    tokio::select! {
                        answer = asked => serde_json::to_value(answer),
                        () = terms.cancelled.cancelled() => return Err(Fault::Cancelled),
                    }
                }
                InputRequest::ListRoots(_) => Ok(serde_json::json!({ "roots": [] })),
                // Usher has no model, and says so in its capabilities.
                InputRequest::CreateMessage(_) => {
                    return Err(unexpected("it asks for a model, which Usher has not"));
                }
                _ => return Err(unexpected("it asks for something that Usher does not know")),
            };
            responses.insert(key, response.unwrap_or(Value::Null));
        }
        Ok(responses)
    }
}

fn unexpected(what: &str) -> Fault {
    Fault::Protocol(format!("the server does not keep to the protocol: {what}"))
}
