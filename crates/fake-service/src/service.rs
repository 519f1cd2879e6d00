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

/// The deadline for an expected request, long enough for a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A running service. Dropping it stops the service.
pub struct FakeService {
    /// The scheme, host and port. This is also the issuer of the authorization server.
    pub origin: String,
    pub(crate) shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

impl FakeService {
    /// Starts a service on a free port of 127.0.0.1.
    pub async fn start(options: Options) -> io::Result<FakeService> {
        Self::listen(options, true).await
    }

    /// Starts a service without endpoints: requests that are not scripted get 404.
    pub async fn scripted() -> io::Result<FakeService> {
        Self::listen(Options::default(), false).await
    }

    /// Returns a service without endpoints and the router for the caller's own listener, such as one with TLS.
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

    /// Returns the address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Returns the address of the MCP endpoint. It is also the resource identifier of the tokens.
    pub fn url(&self) -> String {
        self.shared.resource()
    }

    /// Returns the ledger of all token families.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// Issues a new token family without a sign-in.
    pub fn issue_tokens(&self, client_id: &str) -> IssuedTokens {
        self.shared.ledger.issue(client_id)
    }

    /// Returns the requests so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Returns the requests with this line.
    pub fn requests_to(&self, line: &str) -> Vec<Request> {
        lock(&self.shared.requests).iter().filter(|request| request.line == line).cloned().collect()
    }

    /// Returns the JSON-RPC methods of the POST requests so far, in order.
    pub fn rpc_methods(&self) -> Vec<String> {
        lock(&self.shared.requests)
            .iter()
            .filter(|request| request.line.starts_with("POST "))
            .map(Request::rpc_method)
            .collect()
    }

    /// Returns the number of requests with this JSON-RPC method.
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
        if tokio::time::timeout(REQUEST_TIMEOUT, wait).await.is_err() {
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
