//! The page that a click in the tray or on a notification, or the callback of a sign-in asks for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use specta::Type;
use usher_api::{ErrorView, ServerId};

/// A request to show a service's page.
#[derive(Clone, Debug, PartialEq, Serialize, Type)]
pub struct PageRequest {
    pub server: ServerId,
    /// The error, if the clicked action failed.
    pub error: Option<ErrorView>,
    /// The id of the question to show, if the person clicked one.
    pub question: Option<String>,
    /// Whether the browser has returned from the service's sign-in. A form that the person is filling in then stays.
    pub after_sign_in: bool,
}

impl PageRequest {
    /// Returns a request without an error or a question, for a click.
    pub fn new(server: &ServerId) -> Self {
        Self { server: server.clone(), error: None, question: None, after_sign_in: false }
    }
}

/// The last request. It is kept until the page takes it, because the page may still be loading.
#[derive(Default)]
pub struct PageRequests(Mutex<Option<PageRequest>>);

impl PageRequests {
    /// Replaces the request. `None` drops the request, so the window keeps its current page.
    pub fn set(&self, page: Option<PageRequest>) {
        *self.lock() = page;
    }

    pub fn take(&self) -> Option<PageRequest> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<PageRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_click_is_taken_once() {
        let page_of = |name: &str| Some(PageRequest::new(&ServerId(name.to_owned())));
        let requests = PageRequests::default();
        assert_eq!(requests.take(), None);
        requests.set(page_of("linear"));
        requests.set(page_of("notion"));
        assert_eq!(requests.take(), page_of("notion"));
        assert_eq!(requests.take(), None);

        // "Open Usher", before the page took the earlier request.
        requests.set(page_of("notion"));
        requests.set(None);
        assert_eq!(requests.take(), None);
    }
}
