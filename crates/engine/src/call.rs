//! A tool call as its caller sees it: kept while the person is asked for permission, repeated where that does no harm.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use usher_oauth::BearerChallenge;

use crate::caller::Addressee;
use crate::connection::fault::Fault;
use crate::connection::{CallTerms, Connection, content, hidden_refusal};
use crate::describe::describe_fault;
use crate::server::{Message, PermissionNeeded, ServerHandle};
use crate::{CallOptions, Engine, ErrorView};

/// How long a call whose answer was lost waits for the next connection.
const RETURN: Duration = Duration::from_secs(10);

/// One call, from the click to the answer.
pub(crate) struct ToolCall<'a> {
    pub engine: &'a Engine,
    pub handle: Arc<ServerHandle>,
    pub tool: &'a str,
    pub arguments: Map<String, Value>,
    pub options: CallOptions,
    pub cancelled: CancellationToken,
}

impl ToolCall<'_> {
    pub async fn run(&self) -> Result<CallToolResult, ErrorView> {
        let operation = format!("tools/call {}", self.tool);
        let may_ask = !self.options.permission_timeout.is_zero();
        let (mut asked, mut repeated) = (false, false);
        let mut connection = self.engine.reach(&self.handle).await?;
        loop {
            let token = connection.token_at_hand();
            let outcome = match self.once(&connection).await {
                Err(Fault::InsufficientScope { challenge }) if may_ask && !asked => {
                    asked = true;
                    self.handle.note_step_up(&operation, token)?;
                    self.permission(&connection, challenge).await?;
                    connection = self.engine.reach(&self.handle).await?;
                    continue;
                }
                Err(Fault::Lost) if !repeated && connection.may_repeat(self.tool) => {
                    repeated = true;
                    match self.returned(&connection).await {
                        Some(newer) => {
                            connection = newer;
                            continue;
                        }
                        None => Err(Fault::Lost),
                    }
                }
                Ok(result) if hidden_refusal::is_refusal(&result) => {
                    match self.renewed(&connection, token).await {
                        // What it did before it refused is not known where it does more than read.
                        Ok(true) if connection.may_repeat(self.tool) => continue,
                        Ok(_) => Ok(result),
                        Err(fault) if fault.is_transient() => Ok(result),
                        Err(fault) => Err(fault),
                    }
                }
                Ok(result) => {
                    self.handle.good_result(self.tool, &connection);
                    Ok(result)
                }
                outcome => outcome,
            };
            return self.engine.report(&self.handle, connection, outcome, &operation);
        }
    }

    /// Renews the sign-in that a tool's result refused, once; where that was done before, a sign-in is offered.
    async fn renewed(
        &self,
        connection: &Arc<Connection>,
        token: Option<SecretString>,
    ) -> Result<bool, Fault> {
        if let Some(token) = token
            && !self.handle.is_renewed_in_vain(&token)
            && let Some(renewed) = connection.renew(&token).await?
        {
            self.handle.note_renewed_for_result(self.tool, renewed);
            return Ok(true);
        }
        self.handle.offer_sign_in(Arc::clone(connection));
        Ok(false)
    }

    async fn once(&self, connection: &Connection) -> Result<CallToolResult, Fault> {
        let board = Arc::clone(self.engine.board());
        let (caller, call) = (self.engine.caller().id, self.options.call.clone());
        let addressee = if self.options.asks_holder {
            Addressee::holder()
        } else {
            Addressee { caller, call: Some(call.clone()) }
        };
        let on_progress = move |progress, total, message: Option<String>| {
            board.progress_call(caller, &call, progress, total, message.as_deref().map(content::name));
        };
        let terms = CallTerms {
            silence: self.options.timeout,
            cancelled: self.cancelled.clone(),
            addressee,
            on_progress: &on_progress,
        };
        let params = CallToolRequestParams::new(self.tool.to_owned()).with_arguments(self.arguments.clone());
        connection.call_tool(params, &terms).await
    }

    /// Asks the person, and waits until a sign-in brought the permission.
    async fn permission(
        &self,
        connection: &Connection,
        challenge: Box<BearerChallenge>,
    ) -> Result<(), ErrorView> {
        let who = self.engine.who(&self.handle);
        let refused = describe_fault(&Fault::InsufficientScope { challenge: challenge.clone() }, &who);
        let for_what = connection.title_of(self.tool);
        let (reply, answer) = oneshot::channel();
        self.handle.send(Message::PermissionNeeded(PermissionNeeded { challenge, for_what, reply }));
        let _abandoned = Abandoned(&self.handle);
        tokio::select! {
            answer = answer => answer.unwrap_or(Err(refused)),
            () = self.cancelled.cancelled() => Err(describe_fault(&Fault::Cancelled, &who)),
            () = tokio::time::sleep(self.options.permission_timeout) => Err(refused),
        }
    }

    /// The connection after the one that broke off.
    async fn returned(&self, lost: &Arc<Connection>) -> Option<Arc<Connection>> {
        let fault = Arc::new(Fault::Lost);
        self.handle.send(Message::Failed { connection: Arc::clone(lost), fault });
        tokio::select! {
            newer = self.handle.next_connection(lost, RETURN) => newer,
            () = self.cancelled.cancelled() => None,
        }
    }
}

/// Tells the server's task that a call looks no more for its answer.
struct Abandoned<'a>(&'a ServerHandle);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.send(Message::PermissionAbandoned);
    }
}
