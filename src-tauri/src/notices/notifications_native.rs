//! Notifications on macOS and Windows. Clicks on them are not reported. Untested.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::text::Notice;
use crate::desktop_features::NotificationSupport;

/// An event from the system's notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesktopEvent {
    Support(NotificationSupport),
    #[expect(dead_code, reason = "only Linux reports it")]
    ServiceLost,
    #[expect(dead_code, reason = "only Linux reports clicks")]
    Clicked(u32, Option<usize>),
    #[expect(dead_code, reason = "only Linux reports it")]
    Closed(u32),
}

pub struct Notifications;

impl Notifications {
    pub async fn connect(
        events: mpsc::UnboundedSender<DesktopEvent>,
    ) -> notify_rust::error::Result<Arc<Self>> {
        drop(events.send(DesktopEvent::Support(NotificationSupport::Plain)));
        Ok(Arc::new(Self))
    }

    pub fn has_clicks(&self) -> bool {
        false
    }

    pub async fn show(&self, notice: &Notice) -> notify_rust::error::Result<u32> {
        notify_rust::Notification::new().summary(&notice.title).body(&notice.body).show()?;
        Ok(0)
    }

    pub async fn close(&self, _number: u32) {}
}
