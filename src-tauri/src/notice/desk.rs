//! The desktop's notifications over the session bus (Linux), with what is clicked on them.
//!
//! Clicks are listened for before the first notification is shown, and all of them over one connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use zbus::zvariant::Value;
use zbus::{Connection, Message, proxy};

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
}

/// What the desktop says of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What it can do, at the start and when that changes.
    Can(NotificationsPart),
    /// Whoever showed notifications is gone, and what was on the screen with it.
    Lost,
    /// The notification itself was clicked, or the button of this place.
    Clicked(u32, Option<usize>),
    Closed(u32),
}

/// A connection to whoever shows notifications.
pub struct Desk {
    notifications: NotificationsProxy<'static>,
    /// Names are a service's own words and may look like markup.
    escapes: AtomicBool,
    hears_clicks: AtomicBool,
}

impl Desk {
    /// Connects, and sends what the desktop says for as long as there is a session bus.
    pub async fn connect(said: mpsc::UnboundedSender<Said>) -> zbus::Result<Arc<Self>> {
        let connection = Connection::session().await?;
        let notifications = NotificationsProxy::new(&connection).await?;
        // A click and the end of what was clicked follow each other at once: one stream keeps them in their order.
        let mut signals = notifications.inner().receive_all_signals().await?;
        let mut owners = notifications.inner().receive_owner_changed().await?;
        let desk = Arc::new(Self { notifications, escapes: true.into(), hears_clicks: false.into() });
        drop(said.send(Said::Can(desk.abilities().await)));
        let listening = Arc::clone(&desk);
        tauri::async_runtime::spawn(async move {
            let mut shows = owner(&connection).await;
            loop {
                let heard = tokio::select! {
                    Some(signal) = signals.next() => heard(&signal).into_iter().collect(),
                    Some(owner) = owners.next() => {
                        let now = owner.map(|owner| owner.to_string());
                        let before = std::mem::replace(&mut shows, now.clone());
                        let lost = (before.is_some() && before != now).then_some(Said::Lost);
                        let can = if now.is_some() || !is_activatable(&connection).await {
                            Some(Said::Can(listening.abilities().await))
                        } else {
                            None
                        };
                        lost.into_iter().chain(can).collect::<Vec<_>>()
                    }
                    else => break,
                };
                if heard.into_iter().any(|heard| said.send(heard).is_err()) {
                    break;
                }
            }
        });
        Ok(desk)
    }

    /// Whether a click on a notification comes back to us, as far as is known.
    pub fn hears_clicks(&self) -> bool {
        self.hears_clicks.load(Ordering::Relaxed)
    }

    /// Asking starts a service that waits to be needed.
    async fn abilities(&self) -> NotificationsPart {
        let asked = tokio::time::timeout(DEADLINE, self.notifications.get_capabilities()).await;
        let Ok(Ok(can)) = asked else { return NotificationsPart::Missing };
        let can = |what: &str| can.iter().any(|ability| ability == what);
        self.escapes.store(can("body-markup"), Ordering::Relaxed);
        self.hears_clicks.store(can("actions"), Ordering::Relaxed);
        if can("actions") { NotificationsPart::WithActions } else { NotificationsPart::Plain }
    }

    /// Shows a notification; its number.
    pub async fn show(&self, notice: &Notice) -> zbus::Result<u32> {
        let keys: Vec<String> = (0..notice.buttons.len()).map(|place| place.to_string()).collect();
        let mut actions = Vec::new();
        // Who does not know buttons may make a dialog of them.
        if self.hears_clicks() {
            actions.extend(notice.click.iter().flat_map(|_| [DEFAULT, "Open"]));
            let buttons = keys.iter().zip(&notice.buttons);
            actions.extend(buttons.flat_map(|(key, (label, _))| [key.as_str(), label.as_str()]));
        }
        let escapes = self.escapes.load(Ordering::Relaxed);
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

/// Who shows notifications now.
async fn owner(connection: &Connection) -> Option<String> {
    let bus = zbus::fdo::DBusProxy::new(connection).await.ok()?;
    let name = zbus::names::BusName::try_from(NAME).ok()?;
    bus.get_name_owner(name).await.ok().map(|owner| owner.to_string())
}

async fn is_activatable(connection: &Connection) -> bool {
    let Ok(bus) = zbus::fdo::DBusProxy::new(connection).await else { return false };
    bus.list_activatable_names().await.is_ok_and(|names| names.iter().any(|name| name.as_str() == NAME))
}

/// What a signal of the desktop's says of a notification.
fn heard(signal: &Message) -> Option<Said> {
    match signal.header().member()?.as_str() {
        "ActionInvoked" => {
            let (number, key): (u32, String) = signal.body().deserialize().ok()?;
            button(&key).map(|button| Said::Clicked(number, button))
        }
        "NotificationClosed" => {
            let (number, _reason): (u32, u32) = signal.body().deserialize().ok()?;
            Some(Said::Closed(number))
        }
        _ => None,
    }
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
    fn clicks_and_ends_are_heard_and_nothing_else_is() {
        let signal =
            |name: &'static str| Message::signal("/org/freedesktop/Notifications", NAME, name).unwrap();
        let clicked = signal("ActionInvoked").build(&(7_u32, "1")).unwrap();
        assert_eq!(heard(&clicked), Some(Said::Clicked(7, Some(1))));
        let clicked = signal("ActionInvoked").build(&(7_u32, "inline-reply")).unwrap();
        assert_eq!(heard(&clicked), None);
        let closed = signal("NotificationClosed").build(&(7_u32, 2_u32)).unwrap();
        assert_eq!(heard(&closed), Some(Said::Closed(7)));
        for other in
            [signal("ActivationToken").build(&(7_u32, "x")), signal("NotificationClosed").build(&("7",))]
        {
            assert_eq!(heard(&other.unwrap()), None);
        }
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        assert_eq!([button("default"), button("1"), button("x")], [Some(None), Some(Some(1)), None]);
    }
}
