//! One call of a tool, or another operation. It waits for a missing permission, and is repeated if that does no harm.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use usher_api::ErrorView;
use usher_oauth::Challenge;

use super::refused_result::is_refusal;
use crate::caller::{Addressee, CallerId, KnownCall};
use crate::connection::call_result::CallResult;
use crate::connection::fault::Fault;
use crate::connection::operation::Operation;
use crate::connection::progress::Progress;
use crate::connection::rpc_error::RpcError;
use crate::connection::watch::Report;
use crate::connection::{CallTerms, Connection};
use crate::options::CallOptions;
use crate::server::handle::ServerHandle;
use crate::server::message::{Message, PermissionNeeded};
use crate::words::connection::describe_fault;
use crate::words::offer::broken_tool;

/// How long a call waits for the next connection after its response was lost.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Receives the progress of a call.
pub type OnProgress = Box<dyn Fn(Progress) + Send + Sync>;

/// The error of a call.
#[derive(Clone, Debug)]
pub struct CallError {
    /// The error, for the person.
    pub error: ErrorView,
    /// The server's own error, if it answered with one.
    pub rpc: Option<RpcError>,
}

impl From<ErrorView> for CallError {
    fn from(error: ErrorView) -> Self {
        Self { error, rpc: None }
    }
}

pub(crate) struct Call {
    pub handle: Arc<ServerHandle>,
    pub caller: CallerId,
    pub operation: Operation,
    pub options: CallOptions,
    pub on_progress: OnProgress,
    pub cancelled: CancellationToken,
}

impl Call {
    pub async fn run(&self) -> Result<CallResult, CallError> {
        let operation = self.operation.label();
        let may_request = !self.options.permission_timeout.is_zero();
        let (mut requested, mut repeated) = (false, false);
        let mut connection = self.handle.connection().await?;
        if let Some(tool) = self.operation.tool()
            && let Some(why) = connection.reason_against(tool)
        {
            return Err(broken_tool(tool, why).into());
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
                Err(Fault::Lost) if !repeated && self.operation.may_repeat(&connection) => {
                    repeated = true;
                    match self.next_connection(&connection).await {
                        Some(newer) => {
                            connection = newer;
                            continue;
                        }
                        None => Err(Fault::Lost),
                    }
                }
                Ok(result) if self.is_refusal(&result) => match self.refresh(&connection, token).await {
                    // The call may have had an effect before the token was rejected. It is therefore repeated only if
                    // the tool allows that.
                    Ok(true) if self.operation.may_repeat(&connection) => continue,
                    Ok(_) => Ok(result),
                    Err(fault) if fault.is_transient() => Ok(result),
                    Err(fault) => Err(fault),
                },
                Ok(result) => {
                    if self.operation.tool().is_some() {
                        self.handle.accepted_in_result(&operation, &connection);
                    }
                    Ok(result)
                }
                outcome => outcome,
            };
            let rpc = match &outcome {
                Err(Fault::Rpc(error)) => Some(error.clone()),
                Ok(_) | Err(_) => None,
            };
            let reported = self.handle.report(connection, outcome, &operation);
            return reported.map_err(|error| CallError { error, rpc });
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
            self.handle.refusals.note_refreshed(&self.operation.label(), refreshed);
            return Ok(true);
        }
        self.handle.refused_in_result(Arc::clone(connection));
        Ok(false)
    }

    async fn send(&self, connection: &Connection) -> Result<CallResult, Fault> {
        let (caller, call) = (self.caller, self.options.call.clone());
        let addressee = Addressee {
            caller: if self.options.asks_holder { CallerId::HOLDER } else { caller },
            call: Some(KnownCall {
                caller,
                name: call,
                tool: self.operation.title(connection),
                program: self.options.program.clone(),
            }),
        };
        let terms = CallTerms {
            idle_timeout: self.options.timeout,
            cancelled: self.cancelled.clone(),
            addressee,
            on_progress: &*self.on_progress,
        };
        connection.call(self.operation.clone(), &terms).await
    }

    /// Returns whether the result of a tool is the refusal of the token.
    fn is_refusal(&self, result: &CallResult) -> bool {
        matches!(self.operation, Operation::Tool(_)) && is_refusal(result)
    }

    /// Asks the person for the permission, and waits until a sign-in grants it.
    async fn request_permission(
        &self,
        connection: &Connection,
        challenge: Box<Challenge>,
    ) -> Result<(), ErrorView> {
        let label = self.handle.label();
        let refused = describe_fault(&Fault::InsufficientScope { challenge: challenge.clone() }, &label);
        let tool_title = self.operation.title(connection);
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
