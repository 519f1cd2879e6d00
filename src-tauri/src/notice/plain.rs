//! Notifications on macOS and Windows: shown, and what is clicked on them is not heard. Untested.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::words::Notice;
use crate::desktop::NotificationsPart;

/// What the desktop says of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Can(NotificationsPart),
    #[expect(dead_code, reason = "only Linux hears that")]
    Lost,
    #[expect(dead_code, reason = "only Linux hears clicks")]
    Clicked(u32, Option<usize>),
    #[expect(dead_code, reason = "only Linux hears that one is gone")]
    Closed(u32),
}

/// The system's notifications.
pub struct Desk;

impl Desk {
    pub async fn connect(said: mpsc::UnboundedSender<Said>) -> notify_rust::error::Result<Arc<Self>> {
        drop(said.send(Said::Can(NotificationsPart::Plain)));
        Ok(Arc::new(Self))
    }

    pub fn hears_clicks(&self) -> bool {
        false
    }

    pub async fn show(&self, notice: &Notice) -> notify_rust::error::Result<u32> {
        notify_rust::Notification::new().summary(&notice.title).body(&notice.body).show()?;
        Ok(0)
    }

    pub async fn close(&self, _number: u32) {}
}
