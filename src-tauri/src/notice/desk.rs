//! The desktop's notifications over the session bus (Linux), with what is clicked on them.
//!
//! Clicks are listened for before the first notification is shown, and all of them over one connection.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use zbus::zvariant::Value;
use zbus::{Connection, proxy};

use super::words::Notice;
use crate::desktop::NotificationsPart;

/// How long the desktop may take to answer.
const DEADLINE: Duration = Duration::from_secs(3);
const NAME: &str = "org.freedesktop.Notifications";
/// The key of a click on the notification itself (Desktop Notifications Specification, "Actions").
const DEFAULT: &str = "default";

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications",
    gen_blocking = false
)]
trait Notifications {
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;
    #[expect(clippy::too_many_arguments, reason = "the specification's own signature")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;
    fn close_notification(&self, id: u32) -> zbus::Result<()>;
    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

/// What the desktop says of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What it can do, at the start and when that changes.
    Can(NotificationsPart),
    /// The notification itself was clicked, or the button of this place.
    Clicked(u32, Option<usize>),
    Closed(u32),
}

/// A connection to whoever shows notifications.
pub struct Desk {
    notifications: NotificationsProxy<'static>,
    /// Names are a service's own words and may look like markup.
    escapes: std::sync::atomic::AtomicBool,
}

impl Desk {
    /// Connects, and sends what the desktop says for as long as there is a session bus.
    pub async fn connect(said: mpsc::UnboundedSender<Said>) -> zbus::Result<std::sync::Arc<Self>> {
        let connection = Connection::session().await?;
        let notifications = NotificationsProxy::new(&connection).await?;
        let mut clicked = notifications.receive_action_invoked().await?;
        let mut closed = notifications.receive_notification_closed().await?;
        let mut owners = notifications.inner().receive_owner_changed().await?;
        let desk = std::sync::Arc::new(Self { notifications, escapes: true.into() });
        let listening = std::sync::Arc::clone(&desk);
        tauri::async_runtime::spawn(async move {
            drop(said.send(Said::Can(listening.abilities().await)));
            loop {
                let heard = tokio::select! {
                    Some(signal) = clicked.next() => match signal.args() {
                        Ok(args) => button(&args.action_key).map(|button| Said::Clicked(args.id, button)),
                        Err(_) => None,
                    },
                    Some(signal) = closed.next() => signal.args().ok().map(|args| Said::Closed(args.id)),
                    Some(owner) = owners.next() => {
                        let stays = owner.is_none() && is_activatable(&connection).await;
                        let can = match (&owner, stays) {
                            (Some(_), _) => Some(listening.abilities().await),
                            (None, true) => None,
                            (None, false) => Some(NotificationsPart::Missing),
                        };
                        can.map(Said::Can)
                    }
                    else => break,
                };
                if let Some(heard) = heard
                    && said.send(heard).is_err()
                {
                    break;
                }
            }
        });
        Ok(desk)
    }

    /// Asking starts a service that waits to be needed.
    async fn abilities(&self) -> NotificationsPart {
        let asked = tokio::time::timeout(DEADLINE, self.notifications.get_capabilities()).await;
        let Ok(Ok(can)) = asked else { return NotificationsPart::Missing };
        let can = |what: &str| can.iter().any(|ability| ability == what);
        self.escapes.store(can("body-markup"), std::sync::atomic::Ordering::Relaxed);
        if can("actions") { NotificationsPart::WithActions } else { NotificationsPart::Plain }
    }

    /// Shows a notification; its number.
    pub async fn show(&self, notice: &Notice) -> zbus::Result<u32> {
        let keys: Vec<String> = (0..notice.buttons.len()).map(|place| place.to_string()).collect();
        let mut actions = Vec::new();
        if notice.click.is_some() {
            actions.extend([DEFAULT, "Open"]);
        }
        for (key, (label, _)) in keys.iter().zip(&notice.buttons) {
            actions.extend([key.as_str(), label.as_str()]);
        }
        let escapes = self.escapes.load(std::sync::atomic::Ordering::Relaxed);
        let body = if escapes { escaped(&notice.body) } else { notice.body.clone() };
        let hints = HashMap::from([("desktop-entry", Value::from("Usher")), ("urgency", Value::from(1_u8))]);
        // 0 stays, -1 leaves it to the desktop.
        let expires = if notice.stays { 0 } else { -1 };
        let shown = self.notifications.notify(
            "Usher",
            0,
            "usher-desktop",
            &notice.title,
            &body,
            &actions,
            hints,
            expires,
        );
        tokio::time::timeout(DEADLINE, shown).await.unwrap_or(Err(zbus::Error::InvalidReply))
    }

    /// Takes a notification away; it may be gone already.
    pub async fn close(&self, number: u32) {
        let _ = tokio::time::timeout(DEADLINE, self.notifications.close_notification(number)).await;
    }
}

async fn is_activatable(connection: &Connection) -> bool {
    let Ok(bus) = zbus::fdo::DBusProxy::new(connection).await else { return false };
    bus.list_activatable_names().await.is_ok_and(|names| names.iter().any(|name| name.as_str() == NAME))
}

/// The button that a key stands for; `None` for a key that is none of ours.
fn button(key: &str) -> Option<Option<usize>> {
    if key == DEFAULT { Some(None) } else { key.parse().ok().map(Some) }
}

/// As text in the small markup of notifications.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(escaped("<a href=x>R&D</a>"), "&lt;a href=x&gt;R&amp;D&lt;/a&gt;");
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        assert_eq!([button("default"), button("1"), button("x")], [Some(None), Some(Some(1)), None]);
    }
}
