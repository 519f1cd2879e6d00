//! The state that the request handlers of one demo share.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::epochs::Epochs;
use crate::mcp::announcements::Announcements;
use crate::mcp::notebook::Notebook;
use crate::mcp::sse_sessions::SseSessions;
use crate::oauth::client::Client;
use crate::oauth::codes::Codes;
use crate::oauth::device_codes::DeviceCodes;
use crate::oauth::families::Families;
use crate::oauth::pending_consents::PendingConsents;
use crate::oauth::signing::Signer;
use crate::oauth::used_proofs::UsedProofs;
use crate::options::{DemoOptions, ListFault, TokenFault};
use crate::request_log::RequestRecord;

pub(crate) struct Service {
    pub(crate) port: u16,
    pub(crate) issuer: String,
    /// The resource identifier of the MCP server (RFC 8707), which is also its address.
    pub(crate) resource: String,
    pub(crate) options: DemoOptions,
    pub(crate) clock: Clock,
    pub(crate) signer: Signer,
    pub(crate) epochs: Epochs,
    pub(crate) pending_consents: PendingConsents,
    pub(crate) codes: Codes,
    pub(crate) device_codes: DeviceCodes,
    pub(crate) families: Families,
    pub(crate) used_proofs: UsedProofs,
    pub(crate) token_faults: Mutex<VecDeque<TokenFault>>,
    /// The most recent requests, oldest first.
    pub(crate) request_log: Mutex<VecDeque<RequestRecord>>,
    pub(crate) notebook: Notebook,
    pub(crate) announcements: Announcements,
    /// The sessions of the `initialize` era.
    pub(crate) sessions: Arc<LocalSessionManager>,
    pub(crate) sse_sessions: SseSessions,
    pub(crate) hidden_tools: Mutex<HashSet<String>>,
    pub(crate) list_fault: Mutex<Option<ListFault>>,
    /// Each running call of `slow_task` holds a clone.
    pub(crate) running_tasks: Arc<()>,
    /// The requests without a response.
    pub(crate) running_requests: TaskTracker,
}

impl Service {
    pub(crate) fn new(port: u16, mut options: DemoOptions) -> Self {
        let issuer = format!("http://127.0.0.1:{port}");
        let token_faults = Mutex::new(std::mem::take(&mut options.token_faults).into());
        let signer = Signer::new(options.signing_key.take().unwrap_or_else(rand::random));
        Self {
            port,
            resource: format!("{issuer}/mcp"),
            issuer,
            options,
            clock: Clock::default(),
            signer,
            epochs: Epochs::default(),
            pending_consents: PendingConsents::default(),
            codes: Codes::default(),
            device_codes: DeviceCodes::default(),
            families: Families::default(),
            used_proofs: UsedProofs::default(),
            token_faults,
            request_log: Mutex::default(),
            notebook: Notebook::default(),
            announcements: Announcements::default(),
            sessions: Arc::default(),
            sse_sessions: SseSessions::default(),
            hidden_tools: Mutex::default(),
            list_fault: Mutex::default(),
            running_tasks: Arc::default(),
            running_requests: TaskTracker::new(),
        }
    }

    /// Returns the client with this id, or `None` if the id is invalid or the client's epoch has ended.
    pub(crate) fn client(&self, client_id: &str) -> Option<Client> {
        let client = Client::open(client_id, &self.signer)?;
        (client.issuer == self.issuer && client.epoch >= self.epochs.clients.current()).then_some(client)
    }
}
