//! The outcome of the link that started the app.

use tokio::sync::watch;
use usher_api::ErrorView;

type Outcome = Result<(), ErrorView>;

/// The outcome, which is `None` until the link is handled.
pub struct StartLink(watch::Sender<Option<Outcome>>);

impl StartLink {
    /// Creates an outcome. Without a link, it is already a success.
    pub fn new(with_link: bool) -> Self {
        Self(watch::Sender::new((!with_link).then_some(Ok(()))))
    }

    pub fn set(&self, outcome: Outcome) {
        self.0.send_replace(Some(outcome));
    }

    /// Waits for the outcome. Returns an error only once, because only the first window was opened by the link.
    pub async fn take(&self) -> Outcome {
        let mut outcomes = self.0.subscribe();
        let outcome = match outcomes.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            Ok(None) | Err(_) => Ok(()),
        };
        self.set(Ok(()));
        outcome
    }
}
