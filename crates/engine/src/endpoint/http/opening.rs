//! Opens a connection to an HTTP endpoint with the transport and the revision that its server accepts.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ProtocolVersion;
use usher_oauth::Flow;

use super::{HttpEndpoint, Resolved};
use crate::connection::fault::Fault;
use crate::connection::http::adapter::HttpAdapter;
use crate::connection::http::authorized::Authorized;
use crate::connection::http::sse::SseChannel;
use crate::connection::http::streamable::StreamableHttp;
use crate::connection::parts::ConnectionParts;
use crate::connection::watch::Reports;
use crate::connection::{Connection, Handshake, Opened};

/// The deadline for reusing an open connection after a sign-in. After it, a new connection is faster.
const REUSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The MCP revisions with `initialize`, newest first.
const REVISIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_03_26];

impl HttpEndpoint {
    /// Connects within the deadline. Without a grant, the server's challenge is returned as
    /// [`Fault::Unauthorized`].
    pub async fn connect(&self, reports: Reports) -> Result<Opened, Fault> {
        let deadline = self.context.options.connect_timeout;
        let outcome = tokio::time::timeout(deadline, self.open(reports)).await;
        outcome.unwrap_or_else(|_| Err(Fault::TimedOut(deadline.as_secs())))
    }

    /// Continues with an open connection after a sign-in. Listing the tools proves that the server accepts the new
    /// token. If the connection itself fails, a new one replaces it.
    pub async fn reuse(&self, connection: Arc<Connection>, reports: Reports) -> Result<Opened, Fault> {
        match tokio::time::timeout(REUSE_TIMEOUT, connection.verify()).await {
            Ok(Ok(tools)) => Ok(Opened { connection, tools }),
            Ok(Err(
                fault
                @ (Fault::Unauthorized { .. } | Fault::InsufficientScope { .. } | Fault::Credentials(_)),
            )) => Err(fault),
            Ok(Err(_)) | Err(_) => self.connect(reports).await,
        }
    }

    /// Tries the transport that worked before, or else the one that the entry names, and then the other one if the server
    /// does not know the first.
    async fn open(&self, reports: Reports) -> Result<Opened, Fault> {
        let resolved = self.resolve().await?;
        let learned = &self.context.learned;
        let sse_first = learned.uses_sse(&resolved.key).unwrap_or(self.is_sse);
        let fault = match self.open_with(&resolved, sse_first, &reports).await {
            Err(fault) if is_other_transport(&fault, sse_first) => fault,
            outcome => return outcome,
        };
        match self.open_with(&resolved, !sse_first, &reports).await {
            Ok(opened) => {
                if self.learns {
                    learned.store_uses_sse(&resolved.key, !sse_first);
                }
                Ok(opened)
            }
            // The server knows the other transport, but wants something first.
            Err(
                other
                @ (Fault::Unauthorized { .. } | Fault::InsufficientScope { .. } | Fault::Credentials(_)),
            ) => Err(other),
            Err(_) => Err(fault),
        }
    }

    async fn open_with(&self, resolved: &Resolved, sse: bool, reports: &Reports) -> Result<Opened, Fault> {
        let (extension, withdrawn) = (extension(self.flow()), resolved.values_withdrawn.clone());
        let parts = ConnectionParts::new(&self.id, &self.context.elicitations, extension, withdrawn);
        let uri: Arc<str> = resolved.url.as_str().into();
        let clock = self.context.options.clock.clone();
        let http = StreamableHttp::new(
            resolved.http.connection_builder(),
            &uri,
            clock,
            resolved.http.dpop().clone(),
        )?;
        let (credentials, headers) = (resolved.credentials.clone(), resolved.headers.clone());
        let connection = if sse {
            let authorized = Authorized::new(credentials.clone());
            let url = resolved.url.url().clone();
            let channel = SseChannel::open(http, url, authorized, headers, parts.inbound.clone()).await?;
            let handshake = Handshake::Detect(ProtocolVersion::LATEST_WITH_INITIALIZE);
            Connection::open(channel, &parts, credentials, handshake).await?
        } else {
            let adapter = HttpAdapter::new(http, credentials, headers, parts.inbound.clone());
            self.open_streamable(resolved, &adapter, &parts).await?
        };
        parts.complete(connection, reports).await
    }

    /// Performs the handshake with the newest revision that the server accepts.
    async fn open_streamable(
        &self,
        resolved: &Resolved,
        adapter: &HttpAdapter,
        parts: &ConnectionParts,
    ) -> Result<Connection, Fault> {
        let learned = &self.context.learned;
        let mut revisions = revisions_from(learned.revision(&resolved.key));
        loop {
            let channel = adapter.clone().into_channel(resolved.url.as_str().into());
            let revision = revisions.remove(0);
            let handshake = Handshake::Detect(revision.clone());
            let credentials = resolved.credentials.clone();
            match Connection::open(channel, parts, credentials, handshake).await {
                Ok(connection) => {
                    if self.learns {
                        learned.store_revision(&resolved.key, &revision);
                    }
                    return Ok(connection);
                }
                Err(fault) if fault.may_reject_revision() => {
                    keep_named(&mut revisions, &fault);
                    if revisions.is_empty() {
                        return Err(fault);
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// Returns the identifier of the authorization extension of MCP that defines the flow.
fn extension(flow: Flow) -> Option<&'static str> {
    match flow {
        Flow::Browser | Flow::Device => None,
        Flow::ClientCredentials => Some("io.modelcontextprotocol/oauth-client-credentials"),
        Flow::JwtBearer => Some("io.modelcontextprotocol/auth/wif"),
        Flow::Enterprise => Some("io.modelcontextprotocol/enterprise-managed-authorization"),
    }
}

/// Returns whether a fault says that the server does not know the transport.
fn is_other_transport(fault: &Fault, sse: bool) -> bool {
    // A protocol fault is about the response to the request for the stream, or its first events.
    matches!(fault, Fault::Status { status: 400 | 404 | 405, .. })
        || (sse && matches!(fault, Fault::Protocol(_)))
}

/// Returns the MCP revisions with `initialize`, newest first, beginning with the one that worked before.
fn revisions_from(known: Option<String>) -> Vec<ProtocolVersion> {
    let mut all = REVISIONS.to_vec();
    let known = known.and_then(|known| all.iter().position(|revision| revision.as_str() == known));
    // The newer ones follow, because the server may have been upgraded.
    all.rotate_left(known.unwrap_or(0));
    all
}

/// Keeps only the revisions that the server's error names, if it names any of them.
fn keep_named(revisions: &mut Vec<ProtocolVersion>, fault: &Fault) {
    let text = fault.to_string();
    let is_named = |revision: &ProtocolVersion| text.contains(revision.as_str());
    if revisions.iter().any(is_named) {
        revisions.retain(is_named);
    }
}
