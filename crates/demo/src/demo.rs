//! The handle to a running demo.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::mcp::announcements::McpList;
use crate::options::{DemoOptions, ListFault, TokenFault};
use crate::request_log::RequestRecord;
use crate::routes;
use crate::service::Service;

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
    /// The address is not a valid URL.
    #[error("the demo's address is not a URL: {0}")]
    Address(#[from] url::ParseError),
}

/// A running demo. Dropping it stops it without waiting.
pub struct Demo {
    service: Arc<Service>,
    url: Url,
    stopping: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Demo {
    /// Listens on 127.0.0.1 and serves until [`Demo::stop`] or drop.
    pub async fn start(options: DemoOptions) -> Result<Demo, StartError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.unwrap_or(0)));
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();

        let service = Arc::new(Service::new(port, options));
        let url = Url::parse(service.resource())?;
        let stopping = CancellationToken::new();
        let router = routes::router(Arc::clone(&service), &stopping);
        let stopped = stopping.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::warn!(%error, "the demo stopped serving");
            }
        });
        Ok(Demo { service, url, stopping, server: Some(server) })
    }

    /// The address of the MCP server, `http://127.0.0.1:PORT/mcp`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The issuer identifier of the authorization server, `http://127.0.0.1:PORT`.
    pub fn issuer(&self) -> &str {
        self.service.issuer()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.service.port()
    }

    /// The answered requests, oldest first; at most the last ten thousand.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.service.request_log.all()
    }

    /// The number of answered token requests with this `grant_type`, successful or not.
    pub fn token_requests(&self, grant_type: &str) -> usize {
        self.requests().iter().filter(|record| record.grant_type.as_deref() == Some(grant_type)).count()
    }

    /// The number of running calls of the tool `slow_task`.
    pub fn running_tasks(&self) -> usize {
        self.service.running_tasks.load(Ordering::SeqCst)
    }

    /// Clears the request log.
    pub fn forget_requests(&self) {
        self.service.request_log.clear();
    }

    /// Hides a tool from the list or shows it again, and notifies the clients. A hidden tool can still be called.
    pub fn hide_tool(&self, tool: &str, hidden: bool) {
        self.service.hide_tool(tool, hidden);
        self.announce(McpList::Tools);
    }

    /// Injects a fault into every following `tools/list`; `None` removes it.
    pub fn set_list_fault(&self, fault: Option<ListFault>) {
        self.service.set_list_fault(fault);
    }

    /// Notifies the clients that a list changed, whether it did or not.
    pub fn announce(&self, list: McpList) {
        self.service.announcements.announce(list);
    }

    /// Forgets the sessions of the `initialize` eras, as a restarted server does.
    pub async fn forget_sessions(&self) {
        self.service.sessions.sessions.write().await.clear();
    }

    /// Revokes all access and refresh tokens. Clients stay registered.
    pub fn revoke_everything(&self) {
        self.service.epochs.revoke_access();
        self.service.epochs.revoke_refresh();
    }

    /// Revokes all access tokens. Refresh tokens stay valid.
    pub fn revoke_access_tokens(&self) {
        self.service.epochs.revoke_access();
    }

    /// Forgets all registered clients, as services do that purge their registrations.
    pub fn forget_clients(&self) {
        self.service.epochs.forget_clients();
    }

    /// Adds a fault to the queue of the token endpoint.
    pub fn add_token_fault(&self, fault: TokenFault) {
        self.service.token_faults.push(fault);
    }

    /// Moves the demo's clock ahead, so that codes and tokens expire without waiting.
    pub fn advance_clock(&self, by: Duration) {
        self.service.clock.advance(by);
    }

    /// Closes every stream and waits up to five seconds for running requests.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(Duration::from_secs(5), &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stopping.cancel();
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}
