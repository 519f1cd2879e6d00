//! Methods for tools: listing, calling, cancelling, answering questions.

use std::sync::Arc;

use serde_json::{Map, Value};
use usher_api::{Code, ElicitationAnswer, ErrorView, ServerId, ToolCallView, ToolView};

use crate::calls::tool_call::ToolCall;
use crate::connection::offers::Offer;
use crate::connection::watch::Report;
use crate::engine::Engine;
use crate::options::CallOptions;

impl Engine {
    /// Returns the server's tools. The last list is reused for five seconds, or for as long as the server allows
    /// (`ttlMs`).
    pub async fn tools(&self, id: &ServerId) -> Result<Vec<ToolView>, ErrorView> {
        let handle = self.handle_of(id)?;
        let connection = handle.connection().await?;
        let outcome = connection.tools().await;
        if outcome.is_ok() {
            handle.send_report(Arc::clone(&connection), Report::ToolsListed);
        }
        let tools = handle.report(connection, outcome, "tools/list")?;
        Ok(tools.iter().map(Offer::tool).collect())
    }

    /// Calls a tool.
    ///
    /// If a permission is missing, `ServerView::permission` shows it, and the call waits for the person. After the
    /// sign-in, the call is repeated once. A call whose response was lost, or whose result rejected the token, is
    /// repeated if the tool declares that a second call does no harm.
    pub async fn call_tool(
        &self,
        id: &ServerId,
        tool: &str,
        arguments: Map<String, Value>,
        options: CallOptions,
    ) -> Result<ToolCallView, ErrorView> {
        let cancelled = self.caller.gone.child_token();
        let _running = self.calls.begin(self.caller.id, &options.call, cancelled.clone()).map_err(|_| {
            ErrorView::new(
                Code::Internal,
                "A call with this name is already running.",
                "Give each call its own name.",
            )
        })?;
        let caller = self.caller.id;
        let call = ToolCall { handle: self.handle_of(id)?, caller, tool, arguments, options, cancelled };
        call.run().await.map(|result| result.view())
    }

    /// Cancels a running call of this handle, and notifies the server.
    pub fn cancel_call(&self, call: &str) {
        self.calls.cancel(self.caller.id, call);
    }

    /// Answers a server's question. Fails if this handle has no open question with that id.
    pub async fn answer_elicitation(&self, id: &str, answer: ElicitationAnswer) -> Result<(), ErrorView> {
        self.run.context.elicitations.answer(self.caller.id, id, answer).map_err(|_| {
            ErrorView::new(
                Code::Internal,
                "This question is no longer open.",
                "Call the tool again if necessary.",
            )
        })
    }
}
