//! A running demo: the handle by which its owner reads its address, watches it and ends it.

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
use crate::requests::RequestRecord;
use crate::routes;
use crate::service::Service;

/// Why a demo did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address does not make a URL.
    #[error("the demo's address is not a URL: {0}")]
    Address(#[from] url::ParseError),
}

/// A demo that is listening. Dropping it ends it without waiting.
pub struct Demo {
    service: Arc<Service>,
    url: Url,
    ending: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Demo {
    /// Starts to listen on 127.0.0.1 and serves until [`Demo::stop`] or drop.
    pub async fn start(options: DemoOptions) -> Result<Demo, StartError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.unwrap_or(0)));
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();

        let service = Arc::new(Service::new(port, options));
        let url = Url::parse(service.resource())?;
        let ending = CancellationToken::new();
        let router = routes::router(Arc::clone(&service), &ending);
        let ended = ending.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended).await {
                tracing::warn!(%error, "the demo stopped serving");
            }
        });
        Ok(Demo { service, url, ending, server: Some(server) })
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

    /// The requests answered so far, oldest first; the last ten thousand are kept.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.service.requests.all()
    }

    /// How many token requests of this `grant_type` were answered, whatever the answer.
    pub fn token_requests(&self, grant_type: &str) -> usize {
        self.requests().iter().filter(|record| record.grant_type.as_deref() == Some(grant_type)).count()
    }

    /// How many calls of the tool `slow_task` are under way.
    pub fn running_tasks(&self) -> usize {
        self.service.running_tasks.load(Ordering::SeqCst)
    }

    /// Empties the ledger of requests.
    pub fn forget_requests(&self) {
        self.service.requests.clear();
    }

    /// Takes a tool out of the list or puts it back, and tells the clients that the list changed. It can be called
    /// all the same.
    pub fn hide_tool(&self, tool: &str, hidden: bool) {
        self.service.hide_tool(tool, hidden);
        self.announce(McpList::Tools);
    }

    /// What `tools/list` meets from now on; `None` is its answer.
    pub fn set_list_fault(&self, fault: Option<ListFault>) {
        self.service.set_list_fault(fault);
    }

    /// Tells the clients that a list changed, whether it did or not.
    pub fn announce(&self, list: McpList) {
        self.service.announcements.announce(list);
    }

    /// Forgets the sessions of the `initialize` eras, as a server does that was started anew.
    pub async fn forget_sessions(&self) {
        self.service.sessions.sessions.write().await.clear();
    }

    /// Revokes every access and refresh token issued so far; clients stay registered.
    pub fn revoke_everything(&self) {
        self.service.epochs.end_access();
        self.service.epochs.end_refresh();
    }

    /// Revokes every access token issued so far; refresh tokens stay good.
    pub fn revoke_access_tokens(&self) {
        self.service.epochs.end_access();
    }

    /// Forgets every client registered so far, as services do that purge their registrations.
    pub fn forget_clients(&self) {
        self.service.epochs.end_clients();
    }

    /// Puts one more fault at the end of the queue of the token endpoint.
    pub fn add_token_fault(&self, fault: TokenFault) {
        self.service.token_faults.push(fault);
    }

    /// Moves the demo's own clock ahead, so that codes and tokens age without waiting.
    pub fn advance_clock(&self, by: Duration) {
        self.service.clock.advance(by);
    }

    /// Ends every stream, answers what is under way, and waits for the last of it for at most five seconds.
    pub async fn stop(mut self) {
        self.ending.cancel();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(Duration::from_secs(5), &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.ending.cancel();
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}
