//! Methods for tools: listing, calling, cancelling, answering questions.

use std::sync::Arc;

use rmcp::model::CallToolRequestParams;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use usher_api::{Code, ElicitationAnswer, ErrorView, ServerId, ToolCallView, ToolView};

use crate::calls::call::Call;
use crate::calls::running::RunningCall;
use crate::connection::display;
use crate::connection::offers::Offer;
use crate::connection::operation::Operation;
use crate::connection::progress::{Progress, ProgressFields};
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
        let (cancelled, _running) = self.begin_call(&options.call)?;
        let (caller, name) = (self.caller.id, options.call.clone());
        let board = Arc::clone(&self.run.context.board);
        let on_progress = move |progress: Progress| {
            let Some(ProgressFields { progress, total, message }) = progress.fields() else { return };
            board.call_progressed(caller, &name, progress, total, message.as_deref().map(display::name));
        };
        let operation =
            Operation::Tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments));
        let handle = self.handle_of(id)?;
        let call = Call { handle, caller, operation, options, on_progress: Box::new(on_progress), cancelled };
        call.run().await.map(|result| result.view()).map_err(|error| error.error)
    }

    /// Records a running call of this handle.
    pub(super) fn begin_call(&self, name: &str) -> Result<(CancellationToken, RunningCall), ErrorView> {
        let cancelled = self.caller.gone.child_token();
        let running = self.calls.begin(self.caller.id, name, cancelled.clone()).map_err(|_| {
            ErrorView::new(
                Code::Internal,
                "A call with this name is already running.",
                "Give each call its own name.",
            )
        })?;
        Ok((cancelled, running))
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
