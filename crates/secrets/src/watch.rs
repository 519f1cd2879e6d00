//! Tells when the system's keychain may have come back or gone: its service started or ended, something was unlocked.
//!
//! Nothing is asked of the keychain, so no prompt comes of watching it.

use tokio::sync::mpsc;

/// Sends at each such moment, until nobody listens any more or there is nothing to watch. Only Linux tells; elsewhere
/// the keychain is always there.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "only Linux tells"))]
pub async fn watch_keychain(changed: mpsc::UnboundedSender<()>) {
    #[cfg(target_os = "linux")]
    if let Err(error) = linux::watch(&changed).await {
        tracing::info!(%error, "nobody tells when the keychain comes back");
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
        // Not every keychain sends the signal above; the collections' own property `Locked` changes in all of them.
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(NAME)?
            .path_namespace(PATH)?
            .interface("org.freedesktop.DBus.Properties")?
            .member("PropertiesChanged")?
            .build();
        let mut properties = MessageStream::for_match_rule(rule, &connection, None).await?;
        loop {
            let goes_on = tokio::select! {
                owner = owners.next() => owner.is_some(),
                signal = collections.next() => signal.is_some(),
                signal = properties.next() => signal.is_some(),
            };
            if !goes_on || changed.send(()).is_err() {
                return Ok(());
            }
        }
    }
}
