//! The handle of a server's task: sends messages, waits for the connection, reports the outcome of calls.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot, watch};
use usher_api::{ErrorView, ServerId};
use usher_config::ServerConfig;

use super::message::Message;
use super::outbox::Availability;
use super::refusals::Refusals;
use super::task;
use crate::connection::Connection;
use crate::connection::fault::Fault;
use crate::connection::watch::Report;
use crate::context::Context;
use crate::words;
use crate::words::connection::{ServerLabel, describe_fault};

/// The handle of a server's task. Dropping it does not end the task; [`Message::Stop`] does.
pub(crate) struct ServerHandle {
    pub config: ServerConfig,
    pub context: Arc<Context>,
    pub refusals: Refusals,
    inbox: mpsc::UnboundedSender<Message>,
    availability: watch::Receiver<Availability>,
}

impl ServerHandle {
    /// Starts the server's task. The first view is published before this method returns.
    pub fn start(config: ServerConfig, context: Arc<Context>) -> Self {
        let (inbox, availability) = task::spawn(&config, Arc::clone(&context));
        Self { config, context, refusals: Refusals::default(), inbox, availability }
    }

    pub fn send(&self, message: Message) {
        // Fails only if the task has ended, and then there is nothing to do.
        let _ = self.inbox.send(message);
    }

    pub fn send_report(&self, connection: Arc<Connection>, report: Report) {
        self.send(Message::Reported { connection, report });
    }

    /// Sends a message and waits for the reply. Returns `None` if the task has ended.
    pub async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(message(reply));
        answer.await.ok()
    }

    pub async fn stop(&self) {
        self.ask(Message::Stop).await;
    }

    /// Waits for the connection. If there is none, returns the reason.
    pub async fn connection(&self) -> Result<Arc<Connection>, ErrorView> {
        let mut availability = self.availability.clone();
        let settled = availability.wait_for(|availability| !matches!(availability, Availability::Pending));
        match tokio::time::timeout(self.context.options.connect_timeout, settled).await {
            Ok(Ok(availability)) => match &*availability {
                Availability::Available(connection) => Ok(Arc::clone(connection)),
                Availability::Retrying(error) | Availability::Unavailable(error) => Err(error.clone()),
                Availability::Pending => Err(words::server::not_connected(&self.config.name)),
            },
            Ok(Err(_)) | Err(_) => Err(words::server::not_connected(&self.config.name)),
        }
    }

    /// Waits for the connection that replaces a lost one. Returns `None` if no connection opens automatically within
    /// the deadline.
    pub async fn next_connection(
        &self,
        lost: &Arc<Connection>,
        deadline: Duration,
    ) -> Option<Arc<Connection>> {
        let mut availability = self.availability.clone();
        let settled = |availability: &Availability| match availability {
            Availability::Available(connection) => !Arc::ptr_eq(connection, lost),
            Availability::Pending | Availability::Retrying(_) => false,
            Availability::Unavailable(_) => true,
        };
        match tokio::time::timeout(deadline, availability.wait_for(settled)).await.ok()?.ok()?.clone() {
            Availability::Available(connection) => Some(connection),
            Availability::Pending | Availability::Retrying(_) | Availability::Unavailable(_) => None,
        }
    }

    /// Records the outcome of an operation. Reports a fault to the task, and describes the fault for the caller.
    pub fn report<T>(
        &self,
        connection: Arc<Connection>,
        outcome: Result<T, Fault>,
        operation: &str,
    ) -> Result<T, ErrorView> {
        let fault = match outcome {
            Ok(result) => {
                self.refusals.note_success(operation);
                return Ok(result);
            }
            Err(fault) => fault,
        };
        let lacks_scope = matches!(fault, Fault::InsufficientScope { .. });
        let token = connection.cached_token();
        let described = describe_fault(&fault, &self.label());
        let report = match fault {
            Fault::Unauthorized { challenge, token_sent: false } => Report::SignInRequired(challenge),
            fault => Report::Failed(Arc::new(fault)),
        };
        self.send_report(connection, report);
        if lacks_scope {
            self.note_step_up(operation, token)?;
        }
        Err(described)
    }

    /// Records that an operation lacked a scope. Returns an error if its step-ups are endless.
    pub fn note_step_up(&self, operation: &str, token: Option<SecretString>) -> Result<(), ErrorView> {
        if self.refusals.note_step_up(operation, token) {
            return Err(words::connection::endless_step_up(&self.config.name));
        }
        Ok(())
    }

    /// Records that a tool's result rejected the sign-in, and that a refresh did not help or was not possible.
    pub fn refused_in_result(&self, connection: Arc<Connection>) {
        self.refusals.note_refused_in_result();
        self.send_report(connection, Report::RefusedInResult);
    }

    /// Records that a tool's result did not reject the sign-in.
    pub fn accepted_in_result(&self, tool: &str, connection: &Arc<Connection>) {
        if self.refusals.note_accepted_in_result(tool) {
            self.send_report(Arc::clone(connection), Report::AcceptedInResult);
        }
    }

    pub fn label(&self) -> ServerLabel {
        let id = ServerId(self.config.name.clone());
        let host = self.config.transport.url().and_then(|url| url.host_str()).map(str::to_owned);
        ServerLabel { name: self.context.board.server(&id).map_or(id.0, |view| view.name), host }
    }
}
