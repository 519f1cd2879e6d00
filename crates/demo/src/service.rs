//! The state that the request handlers of one demo share.

use std::collections::HashSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

use crate::clock::Clock;
use crate::epochs::Epochs;
use crate::mcp::announcements::Announcements;
use crate::mcp::notebook::Notebook;
use crate::oauth::client::Client;
use crate::oauth::codes::Codes;
use crate::oauth::families::Families;
use crate::oauth::pending_consents::PendingConsents;
use crate::oauth::scopes::Scope;
use crate::oauth::signing::Signer;
use crate::options::{DemoOptions, ListFault};
use crate::request_log::RequestLog;
use crate::token_faults::TokenFaults;

pub(crate) struct Service {
    port: u16,
    issuer: String,
    resource: String,
    pub(crate) options: DemoOptions,
    pub(crate) clock: Clock,
    pub(crate) signer: Signer,
    pub(crate) epochs: Epochs,
    pub(crate) pending_consents: PendingConsents,
    pub(crate) codes: Codes,
    pub(crate) families: Families,
    pub(crate) token_faults: TokenFaults,
    pub(crate) request_log: RequestLog,
    pub(crate) notebook: Notebook,
    pub(crate) announcements: Announcements,
    /// The sessions of the `initialize` eras.
    pub(crate) sessions: Arc<LocalSessionManager>,
    hidden_tools: Mutex<HashSet<String>>,
    list_fault: Mutex<Option<ListFault>>,
    pub(crate) running_tasks: Arc<AtomicUsize>,
}

impl Service {
    pub(crate) fn new(port: u16, mut options: DemoOptions) -> Self {
        let issuer = format!("http://127.0.0.1:{port}");
        let token_faults = TokenFaults::new(std::mem::take(&mut options.token_faults));
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
            families: Families::default(),
            token_faults,
            request_log: RequestLog::default(),
            notebook: Notebook::default(),
            announcements: Announcements::default(),
            sessions: Arc::default(),
            hidden_tools: Mutex::default(),
            list_fault: Mutex::default(),
            running_tasks: Arc::default(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The resource identifier of the MCP server (RFC 8707), which is also its address.
    pub(crate) fn resource(&self) -> &str {
        &self.resource
    }

    pub(crate) fn is_hidden(&self, tool: &str) -> bool {
        self.hidden_tools.lock().unwrap_or_else(PoisonError::into_inner).contains(tool)
    }

    pub(crate) fn hide_tool(&self, tool: &str, hidden: bool) {
        let mut tools = self.hidden_tools.lock().unwrap_or_else(PoisonError::into_inner);
        if hidden {
            tools.insert(tool.to_owned());
        } else {
            tools.remove(tool);
        }
    }

    pub(crate) fn list_fault(&self) -> Option<ListFault> {
        *self.list_fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_list_fault(&self, fault: Option<ListFault>) {
        *self.list_fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(crate) fn supports(&self, scope: Scope) -> bool {
        scope != Scope::OfflineAccess || self.options.offline_access
    }

    /// The client with this id; `None` if the id is invalid or the client was forgotten.
    pub(crate) fn client(&self, client_id: &str) -> Option<Client> {
        let client: Client = self.signer.open(client_id)?;
        (client.issuer == self.issuer && client.epoch >= self.epochs.clients()).then_some(client)
    }
}
