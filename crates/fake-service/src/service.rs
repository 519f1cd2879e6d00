//! The running service and its script.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::authorization::Clients;
use crate::token_fault::Plan;
use crate::token_gate::TokenGate;
use crate::wire::{Wire, WireListener};
use crate::{FamilyId, IssuedTokens, Ledger, Options, Reply, Request, routes};

/// The longest wait for a request, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running service; dropping it stops it.
pub struct FakeService {
    /// Its scheme, host and port; the issuer of its authorization server.
    pub origin: String,
    pub(crate) shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

type Intercept = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

pub(crate) struct Shared {
    pub origin: String,
    pub options: Options,
    /// Whether unscripted requests reach the endpoints of [`routes`].
    pub has_endpoints: bool,
    pub ledger: Ledger,
    pub clients: Mutex<Clients>,
    pub plans: Mutex<HashMap<FamilyId, Plan>>,
    pub gate: TokenGate,
    pub script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    handshakes: AtomicUsize,
    recorded: Notify,
}

#[derive(Default)]
pub(crate) struct Script {
    replies: HashMap<String, VecDeque<Reply>>,
    intercept: Option<Intercept>,
    pub metadata_changes: Value,
}

impl FakeService {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(options: Options) -> io::Result<FakeService> {
        Self::listen(options, true).await
    }

    /// A service without endpoints of its own: requests that are not scripted get 404.
    pub async fn scripted() -> io::Result<FakeService> {
        Self::listen(Options::default(), false).await
    }

    /// [`FakeService::scripted`] for a listener of the caller, such as one with TLS.
    pub fn behind(origin: &str) -> (FakeService, Router) {
        let shared = Arc::new(Shared::new(origin.to_owned(), Options::default(), false));
        let router = shared.router();
        (FakeService { origin: origin.to_owned(), shared, server: None }, router)
    }

    async fn listen(options: Options, has_endpoints: bool) -> io::Result<FakeService> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::new(origin.clone(), options, has_endpoints));
        let router = shared.router().into_make_service_with_connect_info::<Wire>();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(WireListener(listener), router).await {
                eprintln!("the fake service stopped: {error}");
            }
        });
        Ok(FakeService { origin, shared, server: Some(server) })
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The address of the MCP endpoint; the resource identifier of its tokens.
    pub fn url(&self) -> String {
        self.shared.resource()
    }

    /// Every token family.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// Issues a new token family without a sign-in.
    pub fn issue_tokens(&self, client_id: &str) -> IssuedTokens {
        self.shared.ledger.issue(client_id)
    }

    /// Scripts the reply to a request line such as `POST /register`.
    pub fn on(&self, line: &str, reply: Reply) -> &Self {
        self.on_each(line, [reply])
    }

    /// Scripts one reply after the other; the last one stays.
    pub fn on_each(&self, line: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        lock(&self.shared.script).replies.insert(line.to_owned(), replies.into_iter().collect());
        self
    }

    /// Scripts the reply to every request that [`FakeService::on`] does not cover.
    pub fn on_all(&self, reply: Reply) -> &Self {
        self.intercept(move |_| Some(reply.clone().into_response()))
    }

    /// Calls `intercept` for each request that [`FakeService::on`] does not cover; `None` leaves it to its endpoint.
    pub fn intercept(
        &self,
        intercept: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> &Self {
        lock(&self.shared.script).intercept = Some(Arc::new(intercept));
        self
    }

    /// The requests so far, in their order.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The requests with this line.
    pub fn requests_to(&self, line: &str) -> Vec<Request> {
        lock(&self.shared.requests).iter().filter(|request| request.line == line).cloned().collect()
    }

    /// The JSON-RPC methods of the POST requests so far, in their order.
    pub fn rpc_methods(&self) -> Vec<String> {
        lock(&self.shared.requests)
            .iter()
            .filter(|request| request.is_post())
            .map(Request::rpc_method)
            .collect()
    }

    /// The number of requests with this JSON-RPC method.
    pub fn rpc_count(&self, method: &str) -> usize {
        self.rpc_methods().iter().filter(|seen| *seen == method).count()
    }

    pub fn forget_requests(&self) {
        lock(&self.shared.requests).clear();
    }

    /// Waits until this many requests with this line have arrived. Panics when they do not.
    pub async fn until_requests(&self, line: &str, count: usize) {
        let wait = async {
            loop {
                let recorded = self.shared.recorded.notified();
                if self.requests_to(line).len() >= count {
                    return;
                }
                recorded.await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("timed out waiting for {count} × {line}: {:?}", self.requests_to(line));
        }
    }
}

impl Drop for FakeService {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl Shared {
    fn new(origin: String, options: Options, has_endpoints: bool) -> Shared {
        Shared {
            origin,
            options,
            has_endpoints,
            ledger: Ledger::new(options),
            clients: Mutex::default(),
            plans: Mutex::default(),
            gate: TokenGate::default(),
            script: Mutex::default(),
            requests: Mutex::default(),
            handshakes: AtomicUsize::default(),
            recorded: Notify::new(),
        }
    }

    fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(routes::serve).with_state(Arc::clone(self))
    }

    pub fn resource(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    pub fn record(&self, mut request: Request) -> Request {
        let is_handshake = request.rpc_method() == "initialize";
        request.handshakes = self.handshakes.fetch_add(usize::from(is_handshake), Ordering::SeqCst)
            + usize::from(is_handshake);
        lock(&self.requests).push(request.clone());
        self.recorded.notify_waiters();
        request
    }

    pub fn scripted(&self, request: &Request) -> Option<Response> {
        let intercept = {
            let mut script = lock(&self.script);
            if let Some(replies) = script.replies.get_mut(&request.line) {
                let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
                return reply.map(Reply::into_response);
            }
            script.intercept.clone()?
        };
        intercept(request)
    }
}

/// Locks a mutex, also after a panic of another test thread.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
