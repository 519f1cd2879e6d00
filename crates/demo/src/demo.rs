//! The handle to a running demo.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::mcp::announcements::McpList;
use crate::memory::lock;
use crate::options::{DemoOptions, ListFault, TokenFault};
use crate::request_log::RequestRecord;
use crate::routes;
use crate::service::Service;

/// How long the last responses may take to be sent.
const FLUSH_TIME: Duration = Duration::from_millis(250);

/// An error from [`Demo::start`].
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is in use or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
}

/// A running demo. Dropping the handle stops the demo without waiting for running requests.
pub struct Demo {
    service: Arc<Service>,
    url: Url,
    /// Dropping the guard closes every stream.
    running: DropGuard,
    server: AbortOnDropHandle<()>,
}

impl Demo {
    /// Listens on 127.0.0.1 and serves requests until the demo is stopped or dropped.
    pub async fn start(options: DemoOptions) -> Result<Demo, StartError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.unwrap_or(0)));
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();

        let service = Arc::new(Service::new(port, options));
        let url = Url::parse(&service.resource).expect("the resource is a valid URL");
        let stopping = CancellationToken::new();
        let router = routes::router(Arc::clone(&service), &stopping);
        let stopped = stopping.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::warn!(%error, "the demo stopped serving");
            }
        });
        Ok(Demo { service, url, running: stopping.drop_guard(), server: AbortOnDropHandle::new(server) })
    }

    /// The address of the MCP server, `http://127.0.0.1:PORT/mcp`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The issuer identifier of the authorization server, `http://127.0.0.1:PORT`.
    pub fn issuer(&self) -> &str {
        &self.service.issuer
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.service.port
    }

    /// The last ten thousand requests that got a response, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.service.request_log).iter().cloned().collect()
    }

    /// The number of token requests with this `grant_type` that got a response, successful or not.
    pub fn token_requests(&self, grant_type: &str) -> usize {
        self.requests().iter().filter(|record| record.grant_type.as_deref() == Some(grant_type)).count()
    }

    /// The number of running calls of the tool `slow_task`.
    pub fn running_tasks(&self) -> usize {
        Arc::strong_count(&self.service.running_tasks) - 1
    }

    /// Clears the request log.
    pub fn forget_requests(&self) {
        lock(&self.service.request_log).clear();
    }

    /// Hides a tool from the list or shows it again, and notifies the clients. A hidden tool can still be called.
    pub fn hide_tool(&self, tool: &str, hidden: bool) {
        let mut tools = lock(&self.service.hidden_tools);
        if hidden {
            tools.insert(tool.to_owned())
        } else {
            tools.remove(tool)
        };
        drop(tools);
        self.announce(McpList::Tools);
    }

    /// Injects a fault into every following `tools/list`; `None` removes the fault.
    pub fn set_list_fault(&self, fault: Option<ListFault>) {
        *lock(&self.service.list_fault) = fault;
    }

    /// Notifies the clients that a list changed, even if it did not.
    pub fn announce(&self, list: McpList) {
        self.service.announcements.announce(list);
    }

    /// Deletes the sessions of the `initialize` era, as a restart would.
    pub async fn forget_sessions(&self) {
        self.service.sessions.sessions.write().await.clear();
    }

    /// Revokes all access and refresh tokens. Clients stay registered.
    pub fn revoke_everything(&self) {
        self.revoke_access_tokens();
        self.service.epochs.refresh.end();
    }

    /// Revokes all access tokens. Refresh tokens stay valid.
    pub fn revoke_access_tokens(&self) {
        self.service.epochs.access.end();
    }

    /// Makes all registered clients unknown, like a service that deletes old registrations.
    pub fn forget_clients(&self) {
        self.service.epochs.clients.end();
    }

    /// Adds a fault to the queue of the token endpoint.
    pub fn add_token_fault(&self, fault: TokenFault) {
        lock(&self.service.token_faults).push_back(fault);
    }

    /// Advances the demo's clock, so that codes and tokens expire without waiting.
    pub fn advance_clock(&self, by: Duration) {
        self.service.clock.advance(by);
    }

    /// Closes every stream and waits up to five seconds for running requests.
    pub async fn stop(self) {
        drop(self.running);
        let requests = &self.service.running_requests;
        requests.close();
        let answered = async {
            // After the timeout, the requests are aborted.
            let _ = tokio::time::timeout(Duration::from_secs(5), requests.wait()).await;
            // The last responses are still being sent.
            tokio::time::sleep(FLUSH_TIME).await;
        };
        // A connection without a complete request does not count.
        tokio::select! {
            _ = self.server => {}
            () = answered => {}
        }
    }
}
