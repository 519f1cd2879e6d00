//! Our side of an MCP connection: who we are, what we can do, and what we do when the server speaks first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationCapability, ErrorData,
    FormElicitationCapability, Implementation, ProgressNotificationParam, ProgressToken,
    UrlElicitationCapability,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use tokio::sync::mpsc;

use crate::ServerId;
use crate::connection::changes::{Changes, List};
use crate::connection::elicitation::Elicitations;

/// Progress that a slow reader may fall behind; more is dropped, the next one says more anyway.
const PROGRESS_BACKLOG: usize = 32;

/// Answers what a server asks of its client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub server: ServerId,
    pub elicitations: Arc<Elicitations>,
    pub progress: ProgressRoutes,
    /// Told when the server says that a list of its changed.
    pub changes: Arc<Changes>,
}

impl rmcp::ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(
            ElicitationCapability::new()
                .with_form(FormElicitationCapability::default())
                .with_url(UrlElicitationCapability::new()),
        );
        let us = Implementation::new("usher", env!("CARGO_PKG_VERSION")).with_title("Usher");
        ClientConfig::new(capabilities, us)
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(self.elicitations.ask(&self.server, request).await)
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.progress.send(progress);
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.note(List::Tools);
    }

    async fn on_resource_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.note(List::Resources);
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.note(List::Prompts);
    }
}

/// Which running call a progress notification belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProgressRoutes(Arc<Mutex<HashMap<ProgressToken, mpsc::Sender<ProgressNotificationParam>>>>);

/// Receives the progress of one request until it is dropped.
pub(crate) struct ProgressRoute {
    routes: ProgressRoutes,
    token: ProgressToken,
    receiver: mpsc::Receiver<ProgressNotificationParam>,
}

impl ProgressRoutes {
    pub fn open(&self, token: ProgressToken) -> ProgressRoute {
        let (sender, receiver) = mpsc::channel(PROGRESS_BACKLOG);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), sender);
        ProgressRoute { routes: self.clone(), token, receiver }
    }

    fn send(&self, progress: ProgressNotificationParam) {
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(&progress.progress_token) {
            let _ = route.try_send(progress);
        }
    }
}

impl ProgressRoute {
    /// Never ends by itself.
    pub async fn next(&mut self) -> ProgressNotificationParam {
        match self.receiver.recv().await {
            Some(progress) => progress,
            None => std::future::pending().await,
        }
    }
}

impl Drop for ProgressRoute {
    fn drop(&mut self) {
        self.routes.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}
