//! Our side of an MCP connection: who we are, what we can do, and what we do when the server speaks first.

use std::sync::Arc;

use rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, ErrorData, FormElicitationCapability, Implementation, ProgressNotificationParam,
    UrlElicitationCapability,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use tokio_util::sync::CancellationToken;

use crate::ServerId;
use crate::caller::Addressee;
use crate::connection::changes::{Changes, List};
use crate::connection::elicitation::Elicitations;
use crate::connection::requests::Requests;

/// Answers what a server asks of its client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub server: ServerId,
    pub elicitations: Arc<Elicitations>,
    pub requests: Requests,
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
        context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let asked_by = self.requests.asked_by(context.extensions.get()).await;
        let (addressee, ended) = match asked_by {
            Some(questions) => (questions.addressee, questions.ended),
            None => (Addressee::holder(), CancellationToken::new()),
        };
        let asked = self.elicitations.ask(&self.server, addressee, request);
        tokio::select! {
            answer = asked => Ok(answer),
            () = ended.cancelled() => Ok(ElicitResult::new(ElicitationAction::Cancel)),
            // The server takes its question back, or the connection ends.
            () = context.ct.cancelled() => Ok(ElicitResult::new(ElicitationAction::Cancel)),
        }
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.requests.progressed(progress);
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
