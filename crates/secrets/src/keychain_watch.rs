//! Reports that the availability of the system's keychain may have changed: its service started or stopped, or a
//! collection was locked or unlocked.
//!
//! This module only listens to D-Bus signals, so it never opens an unlock prompt.

use tokio::sync::mpsc;

/// Sends a message at each change, until the receiver is dropped or the session bus closes. On systems other than
/// Linux, the keychain is always available and this function does nothing.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "only Linux has a Secret Service"))]
pub async fn watch_keychain(changed: mpsc::UnboundedSender<()>) {
    #[cfg(target_os = "linux")]
    if let Err(error) = linux::watch(&changed).await {
        tracing::info!(%error, "cannot watch the keychain");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use futures::StreamExt;
    use tokio::sync::mpsc;
    use zbus::message::Type;
    use zbus::{Connection, MatchRule, MessageStream, proxy};

    const NAME: &str = "org.freedesktop.secrets";
    const PATH: &str = "/org/freedesktop/secrets";

    #[proxy(
        interface = "org.freedesktop.Secret.Service",
        default_service = "org.freedesktop.secrets",
        default_path = "/org/freedesktop/secrets",
        gen_blocking = false
    )]
    trait Service {
        #[zbus(signal)]
        fn collection_changed(&self, collection: zbus::zvariant::OwnedObjectPath) -> zbus::Result<()>;
    }

    pub async fn watch(changed: &mpsc::UnboundedSender<()>) -> zbus::Result<()> {
        let connection = Connection::session().await?;
        let service = ServiceProxy::new(&connection).await?;
        let mut owners = service.inner().receive_owner_changed().await?;
        let mut collections = service.receive_collection_changed().await?;
        // Some keychains do not send `CollectionChanged`, but all of them report a change to a collection's property
        // `Locked`.
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(NAME)?
            .path_namespace(PATH)?
            .interface("org.freedesktop.DBus.Properties")?
            .member("PropertiesChanged")?
            .build();
        let mut properties = MessageStream::for_match_rule(rule, &connection, None).await?;
        loop {
            let is_open = tokio::select! {
                owner = owners.next() => owner.is_some(),
                signal = collections.next() => signal.is_some(),
                signal = properties.next() => signal.is_some(),
            };
            if !is_open || changed.send(()).is_err() {
                return Ok(());
            }
        }
    }
}
