//! The stream of events as one caller hears it: what concerns everybody, and what concerns its own calls.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::Event;
use crate::caller::CallerId;

/// An event, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub event: Event,
    /// `None`: everybody's.
    pub only: Option<CallerId>,
}

/// What changes from now on, for whoever subscribed.
#[derive(Debug)]
pub struct Events {
    told: broadcast::Receiver<Told>,
    caller: CallerId,
}

impl Events {
    pub(crate) fn new(told: broadcast::Receiver<Told>, caller: CallerId) -> Self {
        Self { told, caller }
    }

    /// Waits for the next one. Dropping the wait loses nothing.
    pub async fn recv(&mut self) -> Result<Event, RecvError> {
        loop {
            let told = self.told.recv().await?;
            if self.concerns_us(&told) {
                return Ok(told.event);
            }
        }
    }

    /// One that is there already.
    pub fn try_recv(&mut self) -> Result<Event, TryRecvError> {
        loop {
            let told = self.told.try_recv()?;
            if self.concerns_us(&told) {
                return Ok(told.event);
            }
        }
    }

    fn concerns_us(&self, told: &Told) -> bool {
        told.only.is_none_or(|only| only == self.caller)
    }
}
