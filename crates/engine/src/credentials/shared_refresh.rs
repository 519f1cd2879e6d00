//! One refresh, shared by all callers that need its outcome.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::task::JoinHandle;

use super::fault::CredentialFault;
use super::token::Token;

type Outcome = Result<Option<Token>, CredentialFault>;

/// A refresh that runs in a task of its own. Clones wait for the same outcome.
#[derive(Clone)]
pub(super) struct SharedRefresh(Shared<BoxFuture<'static, Outcome>>);

impl SharedRefresh {
    /// `on_abort` is called if the task ends without an outcome, so that another refresh can start.
    pub fn new(task: JoinHandle<Outcome>, on_abort: impl FnOnce() + Send + 'static) -> Self {
        let outcome = task.map(move |joined| {
            joined.unwrap_or_else(|_| {
                on_abort();
                Err(CredentialFault::RefreshCancelled)
            })
        });
        Self(outcome.boxed().shared())
    }

    /// Waits for the outcome. Dropping the future does not stop the refresh.
    pub async fn outcome(self) -> Outcome {
        self.0.await
    }
}
