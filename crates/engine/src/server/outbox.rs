//! The output of a server's task: parts of its view, its availability, and the replies to its callers.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use usher_api::{Code, ErrorView};

use crate::connection::Connection;
use crate::connection::offers::Offer;

/// Whether the server can be used in its current state.
#[derive(Clone, Default)]
pub(crate) enum Availability {
    /// A connection is being opened.
    #[default]
    Pending,
    Available(Arc<Connection>),
    /// There is no connection, but a retry follows automatically.
    Retrying(ErrorView),
    Unavailable(ErrorView),
}

#[derive(Default)]
pub(super) struct Outbox {
    /// The server's own title.
    title: Option<String>,
    last_error: Option<ErrorView>,
    /// The tools that were last announced.
    announced: Option<Arc<Vec<Offer>>>,
    availability: watch::Sender<Availability>,
    /// The pending replies. They are sent after the view is published, so that a caller finds the state that the reply
    /// reports.
    replies: Vec<Box<dyn FnOnce() + Send>>,
}

/// The difference between the announced tools and the previous ones.
pub(super) struct Announcement {
    pub is_first: bool,
    pub has_changed: bool,
}

impl Outbox {
    pub fn subscribe(&self) -> watch::Receiver<Availability> {
        self.availability.subscribe()
    }

    /// Replies to a caller once the view is published.
    pub fn reply<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, value: T) {
        self.replies.push(Box::new(move || {
            let _ = reply.send(value);
        }));
    }

    pub fn send_replies(&mut self) {
        for reply in self.replies.drain(..) {
            reply();
        }
    }

    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    pub fn set_title(&mut self, title: Option<String>) {
        self.title = title.or(self.title.take());
    }

    pub fn error(&self) -> Option<&ErrorView> {
        self.last_error.as_ref()
    }

    pub fn set_error(&mut self, error: ErrorView) {
        self.last_error = Some(error);
    }

    pub fn clear_error(&mut self) {
        self.last_error = None;
    }

    pub fn set_availability(&mut self, availability: Availability) {
        self.availability.send_replace(availability);
    }

    pub fn announce(&mut self, tools: Arc<Vec<Offer>>) -> Announcement {
        let is_first = self.announced.is_none();
        let has_changed = self.announced.as_ref() != Some(&tools);
        self.announced = Some(tools);
        Announcement { is_first, has_changed }
    }

    /// Returns whether the last error asks for a sign-in.
    pub fn asks_for_sign_in(&self) -> bool {
        self.last_error.as_ref().is_some_and(|error| error.code == Code::SignInRequired)
    }
}
