//! The message loop of a server's task. It waits only for messages; jobs do the work.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use usher_config::ServerConfig;

use super::message::{Message, Outcome};
use super::outbox::Availability;
use super::phase::{Phase, Stage};
use super::state::ServerTask;
use crate::connection::fault::Fault;
use crate::connection::watch::Report;
use crate::context::Context;
use crate::words;

/// The deadline for ending a session at the server.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Starts the task. The first view is published before this function returns.
pub(super) fn spawn(
    config: &ServerConfig,
    context: Arc<Context>,
) -> (mpsc::UnboundedSender<Message>, watch::Receiver<Availability>) {
    let (inbox, messages) = mpsc::unbounded_channel();
    let mut task = ServerTask::new(config, context, inbox.clone());
    let availability = task.outbox.subscribe();
    if !task.is_disabled {
        task.begin();
    }
    task.publish();
    tokio::spawn(task.run(messages));
    (inbox, availability)
}

impl ServerTask {
    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        while let Some(message) = messages.recv().await {
            match message {
                Message::Stop(reply) => return self.stop(reply).await,
                message => self.handle(message),
            }
            self.update_refresh();
            self.publish();
            self.outbox.send_replies();
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Connect(reply) => {
                self.connect_again();
                self.outbox.reply(reply, ());
            }
            Message::Disconnect(reply) => {
                self.disconnect();
                self.outbox.reply(reply, ());
            }
            Message::Reconnect => self.reconnect(),
            Message::PauseChanged(reply) => {
                self.pause_changed();
                self.outbox.reply(reply, ());
            }
            Message::PermissionNeeded(needed) => self.step_up.wait_for(needed),
            Message::PermissionAbandoned => self.step_up.forget_abandoned(),
            Message::PermissionDeclined => self.decline_permission(),
            Message::SignIn { options, reply } => self.sign_in(options, reply),
            Message::NextRedirect(reply) => self.next_redirect(reply),
            Message::BrowserOpened => self.browser_opened(),
            Message::CancelSignIn(reply) => {
                self.cancel_sign_in();
                self.outbox.reply(reply, ());
            }
            Message::RestorePending { pending, reply } => {
                self.restore_pending(*pending);
                self.outbox.reply(reply, ());
            }
            Message::RestoreDevice(device) => self.restore_device(*device),
            Message::CallbackReceived(callback) => self.callback_received(callback),
            Message::SignOut(reply) => self.sign_out(reply),
            Message::SignedOut { outcome, reply } => self.signed_out(outcome, reply),
            Message::SecretsChanged(named) => self.secrets_changed(named.as_ref()),
            Message::SecretDisallowed(withdrawn) => self.secret_disallowed(&withdrawn),
            Message::SecretDeleted(placeholder) => self.secret_deleted(&placeholder),
            Message::SecretAllowed => self.secret_allowed(),
            Message::Approve { digest, reply } => self.approve(digest, reply),
            Message::Approved { outcome, reply } => self.approved(outcome, reply),
            Message::Log(reply) => self.outbox.reply(reply, self.log()),
            Message::Reported { connection, report } if self.phase.is_current(&connection) => match report {
                Report::Failed(fault) => self.connection_failed(&connection, &fault),
                Report::SignInRequired(challenge) => self.call_refused(&connection, challenge),
                Report::Ended => self.connection_failed(&connection, &Fault::Lost),
                Report::ToolsListed => self.tools_listed(&connection),
                Report::ListChanged(list) => self.list_changed(list),
                Report::RefusedInResult => self.refused_in_result(),
                Report::AcceptedInResult => self.accepted_in_result(),
            },
            Message::Reported { .. } => {}
            Message::GrantChanged => self.grant_changed(),
            // The loop publishes after each message.
            Message::Publish => {}
            Message::RefreshEnded { number, fault } => self.refresh_ended(number, fault),
            Message::Done { generation, outcome } if self.jobs.is_current(generation) => {
                self.handle_outcome(outcome)
            }
            Message::Done { .. } => {}
            // Handled by the loop.
            Message::Stop(_) => {}
        }
    }

    fn handle_outcome(&mut self, outcome: Outcome) {
        let is_signing_in = matches!(self.phase.get(), Phase::SigningIn(_));
        match outcome {
            Outcome::Step(step) => self.set_step(step),
            Outcome::Prepared(outcome) => self.prepared(outcome),
            Outcome::Exchanged(outcome) => self.exchanged(outcome),
            Outcome::Connected(outcome) if is_signing_in => self.connected_while_signing_in(outcome),
            Outcome::Connected(Ok(opened)) => self.connected(opened),
            Outcome::Connected(Err(fault)) => {
                self.not_connected(&fault);
                self.find_device_sign_in();
            }
            Outcome::Due if is_signing_in => self.sign_in_timed_out(),
            Outcome::Due => self.try_again(),
        }
    }

    async fn stop(mut self, reply: oneshot::Sender<()>) {
        let connection = self.phase.connection().or(self.next_sign_in.take_connection());
        self.fail_waiting_calls(&words::sign_in::quitting());
        if let Some(credentials) = self.endpoint.credentials() {
            // A rotated token that could not be stored before would otherwise be lost.
            self.context.tasks.spawn(async move { credentials.save_unsaved().await });
        }
        // A waiting sign-in stays in the secret store, because its callback may still reach the next run.
        if let Phase::SigningIn(sign_in) = self.phase.take() {
            match sign_in.stage {
                Stage::Probing { reply } | Stage::Preparing { reply, .. } => {
                    let _ = reply.send(Err(words::sign_in::quitting()));
                }
                Stage::Waiting(_)
                | Stage::WaitingForDevice(_)
                | Stage::Exchanging { .. }
                | Stage::Connecting { .. } => {}
            }
        }
        self.outbox.send_replies();
        if let Some(connection) = connection {
            connection.close(CLOSE_TIMEOUT).await;
        }
        let _ = reply.send(());
    }
}
