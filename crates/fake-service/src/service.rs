//! The running service.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::lock::lock;
use crate::routes;
use crate::state::Shared;
use crate::wire::{Wire, WireListener};
use crate::{IssuedTokens, Ledger, Options, Request};

/// The longest wait for a request, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running service; dropping it stops it.
pub struct FakeService {
    /// The scheme, host and port, which is also the issuer of the authorization server.
    pub origin: String,
    pub(crate) shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
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

    /// As [`FakeService::scripted`], but for the caller's own listener, such as one with TLS.
    pub fn behind(origin: &str) -> (FakeService, Router) {
        let shared = Arc::new(Shared::new(origin.to_owned(), Options::default(), false));
        let router = router(&shared);
        (FakeService { origin: origin.to_owned(), shared, server: None }, router)
    }

    async fn listen(options: Options, has_endpoints: bool) -> io::Result<FakeService> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::new(origin.clone(), options, has_endpoints));
        let router = router(&shared).into_make_service_with_connect_info::<Wire>();
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

    /// The address of the MCP endpoint, which is also the resource identifier of its tokens.
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

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The requests with this line.
    pub fn requests_to(&self, line: &str) -> Vec<Request> {
        lock(&self.shared.requests).iter().filter(|request| request.line == line).cloned().collect()
    }

    /// The JSON-RPC methods of the POST requests so far, in order.
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

    /// Waits until this many requests with this line have arrived. Panics after a timeout.
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

fn router(shared: &Arc<Shared>) -> Router {
    Router::new().fallback(routes::serve).with_state(Arc::clone(shared))
}
