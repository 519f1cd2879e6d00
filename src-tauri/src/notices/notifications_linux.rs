//! Notifications over the session bus (Linux), and the clicks on them.
//!
//! One connection receives all clicks, and listens before the first notification is shown.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use zbus::zvariant::Value;
use zbus::{Connection, Message, proxy};

use super::text::Notice;
use crate::desktop_features::NotificationSupport;

/// How long the desktop may take to reply.
const TIMEOUT: Duration = Duration::from_secs(3);
const BUS_NAME: &str = "org.freedesktop.Notifications";
/// The key of a click on the notification itself (Desktop Notifications Specification, "Actions").
const DEFAULT_KEY: &str = "default";

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications",
    gen_blocking = false
)]
trait NotificationService {
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

/// An event from the desktop's notification service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesktopEvent {
    /// The supported features, at the start and at each change.
    Support(NotificationSupport),
    /// The notification service has ended, and its notifications are gone.
    ServiceLost,
    /// A click on the notification with this number: on the button with this index, or on the notification itself.
    Clicked(u32, Option<usize>),
    Closed(u32),
}

/// A connection to the notification service.
pub struct Notifications {
    service: NotificationServiceProxy<'static>,
    /// Whether the body is markup, in which a server's name must be escaped.
    has_markup: AtomicBool,
    has_clicks: AtomicBool,
}

impl Notifications {
    /// Connects, and sends the service's events until the session bus closes.
    pub async fn connect(sender: mpsc::UnboundedSender<DesktopEvent>) -> zbus::Result<Arc<Self>> {
        let connection = Connection::session().await?;
        let service = NotificationServiceProxy::new(&connection).await?;
        // One stream for all signals, so that a click stays before the close signal that follows it.
        let mut signals = service.inner().receive_all_signals().await?;
        let mut owners = service.inner().receive_owner_changed().await?;
        let this = Arc::new(Self { service, has_markup: true.into(), has_clicks: false.into() });
        drop(sender.send(DesktopEvent::Support(this.support().await)));
        let notifications = Arc::clone(&this);
        tauri::async_runtime::spawn(async move {
            let mut current_owner = owner(&connection).await;
            loop {
                let events = tokio::select! {
                    Some(signal) = signals.next() => parse_event(&signal).into_iter().collect(),
                    Some(owner) = owners.next() => {
                        let now = owner.map(|owner| owner.to_string());
                        let before = std::mem::replace(&mut current_owner, now.clone());
                        let lost = (before.is_some() && before != now).then_some(DesktopEvent::ServiceLost);
                        let support = if now.is_some() || !is_activatable(&connection).await {
                            Some(DesktopEvent::Support(notifications.support().await))
                        } else {
                            None
                        };
                        lost.into_iter().chain(support).collect::<Vec<_>>()
                    }
                    else => break,
                };
                if events.into_iter().any(|event| sender.send(event).is_err()) {
                    break;
                }
            }
        });
        Ok(this)
    }

    /// Whether the desktop is known to report clicks.
    pub fn has_clicks(&self) -> bool {
        self.has_clicks.load(Ordering::Relaxed)
    }

    /// Reads the supported features. The call may start the notification service.
    async fn support(&self) -> NotificationSupport {
        let reply = tokio::time::timeout(TIMEOUT, self.service.get_capabilities()).await;
        let Ok(Ok(capabilities)) = reply else { return NotificationSupport::Missing };
        let has = |name: &str| capabilities.iter().any(|capability| capability == name);
        self.has_markup.store(has("body-markup"), Ordering::Relaxed);
        self.has_clicks.store(has("actions"), Ordering::Relaxed);
        if has("actions") { NotificationSupport::WithActions } else { NotificationSupport::Plain }
    }

    /// Shows a notification and returns its number.
    pub async fn show(&self, notice: &Notice) -> zbus::Result<u32> {
        let keys: Vec<String> = (0..notice.buttons.len()).map(|index| index.to_string()).collect();
        let mut actions = Vec::new();
        // Some notification services without buttons show a dialog for the actions instead.
        if self.has_clicks() {
            actions.extend(notice.click.iter().flat_map(|_| [DEFAULT_KEY, "Open"]));
            let buttons = keys.iter().zip(&notice.buttons);
            actions.extend(buttons.flat_map(|(key, (label, _))| [key.as_str(), label.as_str()]));
        }
        let has_markup = self.has_markup.load(Ordering::Relaxed);
        let body = if has_markup { escape(&notice.body) } else { notice.body.clone() };
        let hints = HashMap::from([("desktop-entry", Value::from("Usher")), ("urgency", Value::from(1_u8))]);
        // 0 never expires, -1 is the desktop's default.
        let expires = if notice.stays { 0 } else { -1 };
        let shown =
            self.service.notify("Usher", 0, "usher-desktop", &notice.title, &body, &actions, hints, expires);
        tokio::time::timeout(TIMEOUT, shown).await.unwrap_or(Err(zbus::Error::InvalidReply))
    }

    /// Closes a notification, which may already be closed.
    pub async fn close(&self, number: u32) {
        let _ = tokio::time::timeout(TIMEOUT, self.service.close_notification(number)).await;
    }
}

/// Returns the bus name of the running notification service.
async fn owner(connection: &Connection) -> Option<String> {
    let bus = zbus::fdo::DBusProxy::new(connection).await.ok()?;
    let name = zbus::names::BusName::try_from(BUS_NAME).ok()?;
    bus.get_name_owner(name).await.ok().map(|owner| owner.to_string())
}

async fn is_activatable(connection: &Connection) -> bool {
    let Ok(bus) = zbus::fdo::DBusProxy::new(connection).await else { return false };
    bus.list_activatable_names().await.is_ok_and(|names| names.iter().any(|name| name.as_str() == BUS_NAME))
}

/// Parses a signal of the notification service.
fn parse_event(signal: &Message) -> Option<DesktopEvent> {
    match signal.header().member()?.as_str() {
        "ActionInvoked" => {
            let (number, key): (u32, String) = signal.body().deserialize().ok()?;
            parse_button(&key).map(|button| DesktopEvent::Clicked(number, button))
        }
        "NotificationClosed" => {
            let (number, _reason): (u32, u32) = signal.body().deserialize().ok()?;
            Some(DesktopEvent::Closed(number))
        }
        _ => None,
    }
}

/// Parses the key of a click. `None` for an unknown key.
fn parse_button(key: &str) -> Option<Option<usize>> {
    if key == DEFAULT_KEY { Some(None) } else { key.parse().ok().map(Some) }
}

/// Escapes text for the markup of notifications.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped() {
        assert_eq!(escape("<a href=x>R&D</a>"), "&lt;a href=x&gt;R&amp;D&lt;/a&gt;");
    }

    #[test]
    fn only_clicks_and_closings_become_events() {
        let signal =
            |name: &'static str| Message::signal("/org/freedesktop/Notifications", BUS_NAME, name).unwrap();
        let clicked = signal("ActionInvoked").build(&(7_u32, "1")).unwrap();
        assert_eq!(parse_event(&clicked), Some(DesktopEvent::Clicked(7, Some(1))));
        let clicked = signal("ActionInvoked").build(&(7_u32, "inline-reply")).unwrap();
        assert_eq!(parse_event(&clicked), None);
        let closed = signal("NotificationClosed").build(&(7_u32, 2_u32)).unwrap();
        assert_eq!(parse_event(&closed), Some(DesktopEvent::Closed(7)));
        for other in
            [signal("ActivationToken").build(&(7_u32, "x")), signal("NotificationClosed").build(&("7",))]
        {
            assert_eq!(parse_event(&other.unwrap()), None);
        }
    }

    #[test]
    fn an_unknown_key_is_not_a_click() {
        let parsed = ["default", "1", "x"].map(parse_button);
        assert_eq!(parsed, [Some(None), Some(Some(1)), None]);
    }
}
