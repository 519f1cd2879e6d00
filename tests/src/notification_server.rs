//! A fake notification server, which records notifications and clicks on them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, interface};

use crate::Bus;
use crate::wait::until_ready;

const PATH: &str = "/org/freedesktop/Notifications";
/// Reasons of `NotificationClosed`.
const DISMISSED: u32 = 2;
const BY_CALL: u32 = 3;

/// A notification as the app sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub id: u32,
    pub title: String,
    pub body: String,
    /// The labels of the buttons, without the default action.
    pub buttons: Vec<String>,
    /// Whether the notification is still on the screen.
    pub open: bool,
    keys: Vec<String>,
}

/// `org.freedesktop.Notifications` on one bus, until it is dropped.
#[derive(Debug)]
pub struct NotificationServer {
    connection: Connection,
    shown: Shown,
}

type Shown = Arc<Mutex<Vec<Notification>>>;

struct Notifications {
    shown: Shown,
    capabilities: Vec<&'static str>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<&str> {
        self.capabilities.clone()
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("usher-tests", "Usher", "0", "1.2")
    }

    #[expect(clippy::too_many_arguments, reason = "the signature comes from the specification")]
    fn notify(
        &self,
        _app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let id = shown.len() as u32 + 1;
        let pairs = || actions.chunks_exact(2);
        let keys = pairs().map(|pair| pair[0].clone()).collect();
        let buttons = pairs().filter(|pair| pair[0] != "default").map(|pair| pair[1].clone()).collect();
        shown.push(Notification { id, title, body, buttons, open: true, keys });
        id
    }

    async fn close_notification(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        id: u32,
    ) -> zbus::fdo::Result<()> {
        close(&self.shown, id);
        Self::notification_closed(&emitter, id, BY_CALL).await?;
        Ok(())
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action_key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}

impl NotificationServer {
    /// Starts a server that supports actions, bodies and markup.
    pub async fn start(bus: &Bus) -> Result<NotificationServer> {
        NotificationServer::start_with(bus, &["actions", "body", "body-markup"]).await
    }

    /// Starts a server with these capabilities.
    pub async fn start_with(bus: &Bus, capabilities: &[&'static str]) -> Result<NotificationServer> {
        let shown = Shown::default();
        let notifications = Notifications { shown: Arc::clone(&shown), capabilities: capabilities.to_vec() };
        let connection = bus.serve("org.freedesktop.Notifications", PATH, notifications).await?;
        Ok(NotificationServer { connection, shown })
    }

    /// All notifications so far, oldest first.
    pub fn shown(&self) -> Vec<Notification> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a notification whose title contains `text`.
    pub async fn see(&self, text: &str) -> Result<Notification> {
        let seen = until_ready(&format!("a notification with “{text}”"), || {
            Ok(self.shown().into_iter().find(|notification| notification.title.contains(text)))
        })
        .await;
        seen.with_context(|| format!("notifications so far: {:?}", self.shown()))
    }

    /// Clicks on the notification itself, not on a button.
    pub async fn click(&self, notification: &Notification) -> Result<()> {
        self.invoke(notification, "default").await
    }

    /// Presses the first button whose label contains `text`.
    pub async fn press(&self, notification: &Notification, text: &str) -> Result<()> {
        let index = notification.buttons.iter().position(|label| label.contains(text));
        let mut keys = notification.keys.iter().filter(|key| *key != "default");
        let key = index.and_then(|index| keys.nth(index)).with_context(|| format!("no button {text}"))?;
        self.invoke(notification, key).await
    }

    async fn invoke(&self, notification: &Notification, key: &str) -> Result<()> {
        anyhow::ensure!(
            notification.keys.iter().any(|known| known == key),
            "the notification has no action {key}"
        );
        let emitter = SignalEmitter::new(&self.connection, PATH)?;
        close(&self.shown, notification.id);
        Notifications::action_invoked(&emitter, notification.id, key).await?;
        Notifications::notification_closed(&emitter, notification.id, DISMISSED).await?;
        Ok(())
    }
}

fn close(shown: &Shown, id: u32) {
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(notification) = shown.iter_mut().find(|notification| notification.id == id) {
        notification.open = false;
    }
}
