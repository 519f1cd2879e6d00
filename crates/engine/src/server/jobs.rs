//! The jobs of a server's task: work that runs beside the loop and sends its outcome as a message.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use super::message::{Message, Outcome};
use crate::connection::watch::Reports;
use crate::sign_in::callback::Deliver;

/// Starts jobs, and distinguishes current outcomes from outdated ones.
pub(super) struct Jobs {
    inbox: mpsc::UnboundedSender<Message>,
    /// Increased with each job, so that only the newest job's outcome counts.
    generation: u64,
    /// Tracks the jobs that must run to their end.
    tasks: TaskTracker,
}

/// A running job. Dropping it aborts the job.
#[derive(Debug)]
pub(super) struct Job(AbortHandle);

impl Drop for Job {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Jobs {
    pub fn new(inbox: mpsc::UnboundedSender<Message>, tasks: TaskTracker) -> Self {
        Self { inbox, generation: 0, tasks }
    }

    /// Starts a job. Its outcome is ignored if a newer job starts.
    pub fn run(&mut self, work: impl Future<Output = Outcome> + Send + 'static) -> Job {
        Job(tokio::spawn(self.reported(work)).abort_handle())
    }

    /// Starts a job that runs to its end, even if nothing waits for it.
    pub fn run_to_end(&mut self, work: impl Future<Output = Outcome> + Send + 'static) {
        let work = self.reported(work);
        self.tasks.spawn(work);
    }

    /// Starts a timer, which ends with [`Outcome::Due`].
    pub fn timer(&mut self, wait: Duration) -> Job {
        self.run(async move {
            tokio::time::sleep(wait).await;
            Outcome::Due
        })
    }

    /// Starts a job that ends with a message instead of an outcome. Newer jobs do not affect it.
    pub fn run_separately(&self, work: impl Future<Output = Message> + Send + 'static) -> Job {
        let send = self.message_sender();
        Job(tokio::spawn(async move { send(work.await) }).abort_handle())
    }

    /// Ignores the outcomes of all jobs so far, even those already in the inbox.
    pub fn ignore_outcomes(&mut self) {
        self.generation += 1;
    }

    pub fn is_current(&self, generation: u64) -> bool {
        self.generation == generation
    }

    /// Returns a function that reports intermediate outcomes of the job that starts next.
    pub fn step_reporter(&self) -> impl Fn(Outcome) + Send + Sync + 'static {
        let (generation, send) = (self.generation + 1, self.message_sender());
        move |outcome| send(Message::Done { generation, outcome })
    }

    /// Returns the function that receives the reports of connections.
    pub fn reports(&self) -> Reports {
        let send = self.message_sender();
        Arc::new(move |connection, report| send(Message::Reported { connection, report }))
    }

    /// Returns a function that sends messages to the task.
    pub fn message_sender(&self) -> impl Fn(Message) + Send + Sync + 'static {
        let inbox = self.inbox.clone();
        move |message| {
            let _ = inbox.send(message);
        }
    }

    pub fn deliver(&self) -> Deliver {
        let send = self.message_sender();
        Arc::new(move |callback| send(Message::CallbackReceived(callback)))
    }

    fn reported(
        &mut self,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.generation += 1;
        let (generation, send) = (self.generation, self.message_sender());
        async move { send(Message::Done { generation, outcome: work.await }) }
    }
}
