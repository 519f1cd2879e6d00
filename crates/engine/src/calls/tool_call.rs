//! One tool call. It waits for a missing permission, and is repeated if that does no harm.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::CallToolRequestParams;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use usher_api::ErrorView;
use usher_oauth::Challenge;

use super::refused_result::is_refusal;
use crate::caller::{Addressee, CallerId, KnownCall};
use crate::connection::call_result::CallResult;
use crate::connection::fault::Fault;
use crate::connection::watch::Report;
use crate::connection::{CallTerms, Connection, display};
use crate::options::CallOptions;
use crate::server::handle::ServerHandle;
use crate::server::message::{Message, PermissionNeeded};
use crate::words::connection::describe_fault;
use crate::words::offer::broken_tool;

/// How long a call waits for the next connection after its response was lost.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct ToolCall<'a> {
    pub handle: Arc<ServerHandle>,
    pub caller: CallerId,
    pub tool: &'a str,
    pub arguments: Map<String, Value>,
    pub options: CallOptions,
    pub cancelled: CancellationToken,
}

impl ToolCall<'_> {
    pub async fn run(&self) -> Result<CallResult, ErrorView> {
        let operation = format!("tools/call {}", self.tool);
        let may_request = !self.options.permission_timeout.is_zero();
        let (mut requested, mut repeated) = (false, false);
        let mut connection = self.handle.connection().await?;
        if let Some(why) = connection.reason_against(self.tool) {
            return Err(broken_tool(self.tool, why));
        }
        loop {
            let token = connection.cached_token();
            let outcome = match self.send(&connection).await {
                Err(Fault::InsufficientScope { challenge }) if may_request && !requested => {
                    requested = true;
                    self.handle.note_step_up(&operation, token)?;
                    self.request_permission(&connection, challenge).await?;
                    connection = self.handle.connection().await?;
                    continue;
                }
                Err(Fault::Lost) if !repeated && connection.may_repeat(self.tool) => {
                    repeated = true;
                    match self.next_connection(&connection).await {
                        Some(newer) => {
                            connection = newer;
                            continue;
                        }
                        None => Err(Fault::Lost),
                    }
                }
                Ok(result) if is_refusal(&result) => match self.refresh(&connection, token).await {
                    // The call may have had an effect before the token was rejected. It is therefore repeated only if
                    // the tool allows that.
                    Ok(true) if connection.may_repeat(self.tool) => continue,
                    Ok(_) => Ok(result),
                    Err(fault) if fault.is_transient() => Ok(result),
                    Err(fault) => Err(fault),
                },
                Ok(result) => {
                    self.handle.accepted_in_result(self.tool, &connection);
                    Ok(result)
                }
                outcome => outcome,
            };
            return self.handle.report(connection, outcome, &operation);
        }
    }

    /// Refreshes the token that a result rejected, and returns whether there is a new one. If no refresh is possible,
    /// or an earlier one did not help, offers a sign-in instead.
    async fn refresh(
        &self,
        connection: &Arc<Connection>,
        token: Option<SecretString>,
    ) -> Result<bool, Fault> {
        if let Some(token) = token
            && !self.handle.refusals.was_refreshed_for_result(&token)
            && let Some(refreshed) = connection.refresh(&token).await?
        {
            self.handle.refusals.note_refreshed(self.tool, refreshed);
            return Ok(true);
        }
        self.handle.refused_in_result(Arc::clone(connection));
        Ok(false)
    }

    async fn send(&self, connection: &Connection) -> Result<CallResult, Fault> {
        let board = Arc::clone(&self.handle.context.board);
        let (caller, call) = (self.caller, self.options.call.clone());
        let addressee = Addressee {
            caller: if self.options.asks_holder { CallerId::HOLDER } else { caller },
            call: Some(KnownCall {
                caller,
                name: call.clone(),
                tool: connection.title_of(self.tool),
                program: self.options.program,
            }),
        };
        let on_progress = move |progress, total, message: Option<String>| {
            board.call_progressed(caller, &call, progress, total, message.as_deref().map(display::name));
        };
        let terms = CallTerms {
            idle_timeout: self.options.timeout,
            cancelled: self.cancelled.clone(),
            addressee,
            on_progress: &on_progress,
        };
        let params = CallToolRequestParams::new(self.tool.to_owned()).with_arguments(self.arguments.clone());
        connection.call_tool(params, &terms).await
    }

    /// Asks the person for the permission, and waits until a sign-in grants it.
    async fn request_permission(
        &self,
        connection: &Connection,
        challenge: Box<Challenge>,
    ) -> Result<(), ErrorView> {
        let label = self.handle.label();
        let refused = describe_fault(&Fault::InsufficientScope { challenge: challenge.clone() }, &label);
        let tool_title = connection.title_of(self.tool);
        let (reply, answer) = oneshot::channel();
        self.handle.send(Message::PermissionNeeded(PermissionNeeded { challenge, tool_title, reply }));
        let _abandoned = Abandoned(&self.handle);
        tokio::select! {
            answer = answer => answer.unwrap_or(Err(refused)),
            () = self.cancelled.cancelled() => Err(describe_fault(&Fault::Cancelled, &label)),
            () = tokio::time::sleep(self.options.permission_timeout) => Err(refused),
        }
    }

    /// Waits for the connection that replaces a lost one.
    async fn next_connection(&self, lost: &Arc<Connection>) -> Option<Arc<Connection>> {
        self.handle.send_report(Arc::clone(lost), Report::Failed(Arc::new(Fault::Lost)));
        tokio::select! {
            newer = self.handle.next_connection(lost, RECONNECT_TIMEOUT) => newer,
            () = self.cancelled.cancelled() => None,
        }
    }
}

/// Reports to the server's task, when dropped, that the call no longer waits.
struct Abandoned<'a>(&'a ServerHandle);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.send(Message::PermissionAbandoned);
    }
}
