//! The client side of an MCP connection: its capabilities, and its handling of the server's requests.

use std::sync::Arc;

use rmcp::model::{
    ClientCapabilities, ClientConfig, CustomNotification, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationCapability, ErrorData, FormElicitationCapability, Implementation,
    JsonObject, UrlElicitationCapability,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use tokio_util::sync::CancellationToken;
use usher_api::ServerId;

use super::elicitation::Elicitations;
use super::list_changes::{List, ListChanges};
use super::page_visits::PageVisits;
use super::running_requests::RunningRequests;
use crate::caller::Addressee;

/// Answers a server's requests and records its notifications.
#[derive(Clone, Debug)]
pub(crate) struct ClientHandler {
    pub server: ServerId,
    pub elicitations: Arc<Elicitations>,
    pub requests: RunningRequests,
    pub page_visits: PageVisits,
    pub changes: Arc<ListChanges>,
    /// The authorization extension that the entry uses, which is announced to the server.
    pub extension: Option<&'static str>,
}

impl rmcp::ClientHandler for ClientHandler {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        if !self.elicitations.are_blocked(&self.server) {
            capabilities.elicitation = Some(
                ElicitationCapability::new()
                    .with_form(FormElicitationCapability::default())
                    .with_url(UrlElicitationCapability::new()),
            );
        }
        capabilities.extensions =
            self.extension.map(|extension| [(extension.to_owned(), JsonObject::new())].into());
        let us = Implementation::new("usher", env!("CARGO_PKG_VERSION")).with_title("Usher");
        ClientConfig::new(capabilities, us)
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let origin = self.requests.origin_of(context.extensions.get()).await;
        let (addressee, ended) = match origin {
            Some(questions) => (questions.addressee, questions.ended),
            // A server has no reason to ask something while it does nothing for the person.
            None if self.requests.is_empty() => return Ok(ElicitResult::new(ElicitationAction::Cancel)),
            None => (Addressee::holder(), CancellationToken::new()),
        };
        let question = self.elicitations.ask(&self.server, addressee, request);
        tokio::select! {
            answer = question => Ok(answer),
            () = ended.cancelled() => Ok(ElicitResult::new(ElicitationAction::Cancel)),
            // The server withdrew its question, or the connection ended.
            () = context.ct.cancelled() => Ok(ElicitResult::new(ElicitationAction::Cancel)),
        }
    }

    async fn on_custom_notification(
        &self,
        notification: CustomNotification,
        _context: NotificationContext<RoleClient>,
    ) {
        self.page_visits.note(&notification);
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
