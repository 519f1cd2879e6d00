//! The person's approval of a local program, and the program's output.

use std::sync::Arc;

use tokio::sync::oneshot;
use usher_api::ErrorView;

use super::message::Message;
use super::phase::Phase;
use super::state::ServerTask;
use crate::words;

type Reply = oneshot::Sender<Result<(), ErrorView>>;

impl ServerTask {
    /// Stores the approval outside the task's loop, because it is written to a file.
    pub fn approve(&mut self, digest: String, reply: Reply) {
        let Some(program) = self.endpoint.program().map(Arc::clone) else {
            return self.outbox.reply(reply, Err(words::program::no_program(&self.name())));
        };
        let send = self.jobs.message_sender();
        self.context.tasks.spawn(async move {
            let outcome = program.approve(&digest).await;
            send(Message::Approved { outcome, reply });
        });
    }

    /// Returns the last lines of the program's output.
    pub fn log(&self) -> Result<Vec<String>, ErrorView> {
        let program = self.endpoint.program().ok_or_else(|| words::program::no_log(&self.name()))?;
        Ok(program.output_lines())
    }

    /// Starts the approved program, unless the server is disabled or already connected.
    pub fn approved(&mut self, outcome: Result<(), ErrorView>, reply: Reply) {
        if outcome.is_ok() && !matches!(self.phase.get(), Phase::Disabled | Phase::Connected(_)) {
            self.connect_again();
        }
        self.outbox.reply(reply, outcome);
    }
}
