//! Tells of each call that gives the keychain something to keep, as it passes over the session bus.

use anyhow::{Context, Result};
use futures::StreamExt;
use zbus::fdo::MonitoringProxy;
use zbus::message::Type;
use zbus::{MatchRule, MessageStream};

use crate::Bus;

/// The calls by which the Secret Service is given a secret.
const CALLS: [(&str, &str); 2] =
    [("org.freedesktop.Secret.Item", "SetSecret"), ("org.freedesktop.Secret.Collection", "CreateItem")];

/// A monitor of one bus, until it is dropped.
#[derive(Debug)]
pub struct KeychainWatch {
    reading: tokio::task::JoinHandle<()>,
}

impl KeychainWatch {
    /// Calls `told` for each such call from now on. The keychain gets it at the same time.
    pub async fn start(bus: &Bus, mut told: impl FnMut() + Send + 'static) -> Result<KeychainWatch> {
        let connection = zbus::connection::Builder::address(bus.address())?.build().await?;
        let mut messages = MessageStream::from(&connection);
        let rules = CALLS.map(|(interface, member)| {
            let rule =
                MatchRule::builder().msg_type(Type::MethodCall).interface(interface)?.member(member)?;
            Ok(rule.build())
        });
        let rules = rules.into_iter().collect::<zbus::Result<Vec<_>>>()?;
        let monitoring = MonitoringProxy::new(&connection).await?;
        monitoring.become_monitor(&rules, 0).await.context("the bus lets nobody watch")?;
        let reading = tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let header = message.header();
                let member = header.member().map(|member| member.as_str());
                if CALLS.iter().any(|(_, call)| Some(*call) == member) {
                    told();
                }
            }
        });
        Ok(KeychainWatch { reading })
    }
}

impl Drop for KeychainWatch {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
