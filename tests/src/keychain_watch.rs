//! Observes the calls on the session bus that store a secret in the keychain.

use anyhow::{Context, Result};
use futures::StreamExt;
use tokio_util::task::AbortOnDropHandle;
use zbus::fdo::MonitoringProxy;
use zbus::message::Type;
use zbus::{MatchRule, MessageStream};

use crate::Bus;

/// The calls of the Secret Service API that store a secret.
const CALLS: [(&str, &str); 2] =
    [("org.freedesktop.Secret.Item", "SetSecret"), ("org.freedesktop.Secret.Collection", "CreateItem")];

/// A monitor of one bus, until it is dropped.
#[derive(Debug)]
pub struct KeychainWatch {
    _reading: AbortOnDropHandle<()>,
}

impl KeychainWatch {
    /// Calls `on_store` for each call that stores a secret. The keychain receives the call at the same time.
    pub async fn start(bus: &Bus, mut on_store: impl FnMut() + Send + 'static) -> Result<KeychainWatch> {
        let connection = zbus::connection::Builder::address(bus.address())?.build().await?;
        let mut messages = MessageStream::from(&connection);
        let rules = CALLS.map(|(interface, member)| {
            let rule =
                MatchRule::builder().msg_type(Type::MethodCall).interface(interface)?.member(member)?;
            Ok(rule.build())
        });
        let rules = rules.into_iter().collect::<zbus::Result<Vec<_>>>()?;
        let monitoring = MonitoringProxy::new(&connection).await?;
        monitoring.become_monitor(&rules, 0).await.context("cannot monitor the bus")?;
        let reading = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let header = message.header();
                let member = header.member().map(|member| member.as_str());
                if CALLS.iter().any(|(_, call)| Some(*call) == member) {
                    on_store();
                }
            }
        }));
        Ok(KeychainWatch { _reading: reading })
    }
}
