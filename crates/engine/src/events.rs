//! The stream of events for one caller: the public events, and those addressed to this caller.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use usher_api::Event;

use crate::caller::CallerId;

/// An event with its recipient.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub event: Event,
    /// The only caller that receives the event; `None` means every caller.
    pub recipient: Option<CallerId>,
}

/// The events since the subscription.
#[derive(Debug)]
pub struct Events {
    published: broadcast::Receiver<Published>,
    caller: CallerId,
}

impl Events {
    pub(crate) fn new(published: broadcast::Receiver<Published>, caller: CallerId) -> Self {
        Self { published, caller }
    }

    /// Waits for the next event. Cancelling the wait loses no event.
    pub async fn recv(&mut self) -> Result<Event, RecvError> {
        loop {
            let published = self.published.recv().await?;
            if self.is_for_us(&published) {
                return Ok(published.event);
            }
        }
    }

    /// Returns the next event if it has already been published.
    pub fn try_recv(&mut self) -> Result<Event, TryRecvError> {
        loop {
            let published = self.published.try_recv()?;
            if self.is_for_us(&published) {
                return Ok(published.event);
            }
        }
    }

    fn is_for_us(&self, published: &Published) -> bool {
        published.recipient.is_none_or(|recipient| recipient == self.caller)
    }
}
