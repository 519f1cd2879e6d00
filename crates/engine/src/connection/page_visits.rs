//! The server's notifications that the person is done with a page (MCP 2025-11-25, elicitation in URL mode).

use std::collections::HashSet;

use rmcp::model::{CustomNotification, ElicitRequestParams};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use usher_budgets as budgets;

/// The notification's method. rmcp has no type for it.
const COMPLETE: &str = "notifications/elicitation/complete";

/// The source of one connection's notifications.
#[derive(Clone, Debug)]
pub(crate) struct PageVisits(broadcast::Sender<String>);

/// The notifications since a call began.
pub(crate) struct CompletedVisits {
    notifications: broadcast::Receiver<String>,
    completed: HashSet<String>,
}

impl Default for PageVisits {
    fn default() -> Self {
        Self(broadcast::channel(budgets::PAGE_VISIT_BACKLOG).0)
    }
}

impl PageVisits {
    /// Handles a notification that rmcp does not know.
    pub fn note(&self, notification: &CustomNotification) {
        let id = || notification.params.as_ref()?.get("elicitationId")?.as_str();
        if notification.method == COMPLETE
            && self.0.receiver_count() > 0
            && let Some(id) = id()
        {
            let _ = self.0.send(id.to_owned());
        }
    }

    pub fn subscribe(&self) -> CompletedVisits {
        CompletedVisits { notifications: self.0.subscribe(), completed: HashSet::new() }
    }
}

impl CompletedVisits {
    /// Waits until all these visits are complete, forever if the server does not report it.
    pub async fn wait_for(&mut self, ids: &[String]) {
        if ids.is_empty() {
            return std::future::pending().await;
        }
        while !ids.iter().all(|id| self.completed.contains(id)) {
            match self.notifications.recv().await {
                Ok(id) if ids.contains(&id) => {
                    self.completed.insert(id);
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

/// Returns the id that the notification for this question will carry, if any.
pub(crate) fn visit_id(question: &ElicitRequestParams) -> Option<String> {
    match question {
        ElicitRequestParams::UrlElicitationParams { elicitation_id, .. } => Some(elicitation_id),
        _ => None,
    }
    .filter(|id| !id.is_empty())
    .cloned()
}
