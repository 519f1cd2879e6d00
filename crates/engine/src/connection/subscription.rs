//! The subscription to a stateless server's notifications (`subscriptions/listen`). It also shows whether the server is
//! reachable.

use std::time::Duration;

use rmcp::model::{ServerNotification, SubscriptionFilter};
use rmcp::service::{Peer, RoleClient, Subscription};
use tokio::time::Instant;
use usher_budgets as budgets;

use super::fault::Fault;
use super::list_changes::{List, ListChanges};
use super::rmcp_error::from_service;
use super::stream_monitor::StreamMonitor;
use crate::backoff::backoff;

/// The delay before the subscription, so that a connection for a single list or call does not subscribe.
const DELAY: Duration = Duration::from_secs(1);
/// A stream that lasted at least this long is reopened at once. A shorter one is reopened after a backoff.
const LONG_ENOUGH: Duration = Duration::from_secs(10);

/// Handles the notifications until the future is dropped or the server refuses the subscription.
pub(super) async fn follow(peer: Peer<RoleClient>, changes: &ListChanges, monitor: &StreamMonitor) {
    let Some(filter) = offered_notifications(&peer) else { return };
    tokio::time::sleep(DELAY).await;
    let mut failures = 0;
    let mut is_first = true;
    loop {
        let next_sign_in = monitor.next_sign_in();
        let begun = Instant::now();
        let fault = match tokio::time::timeout(budgets::RESPONSE_TIMEOUT, peer.listen(filter.clone())).await {
            Ok(Ok(subscription)) => {
                // Changes between two subscriptions were not reported.
                if !is_first {
                    note_all(changes, subscription.acknowledged());
                }
                read(subscription, changes).await;
                None
            }
            Ok(Err(error)) => Some(from_service(error)),
            Err(_) => Some(Fault::TimedOut(budgets::RESPONSE_TIMEOUT.as_secs())),
        };
        is_first = false;
        match fault {
            None | Some(Fault::Lost) => {}
            Some(fault @ (Fault::Unauthorized { .. } | Fault::Credentials(_) | Fault::Unreachable(_))) => {
                monitor.report(fault);
                next_sign_in.await;
                continue;
            }
            Some(fault) if fault.is_transient() => {}
            // The server does not know the method, or refuses it.
            Some(_) => return,
        }
        if begun.elapsed() >= LONG_ENOUGH {
            failures = 0;
        } else {
            failures += 1;
            // The first retry is immediate, to notice an unreachable server at once.
            if failures > 1 {
                tokio::time::sleep(backoff(failures, None)).await;
            }
        }
    }
}

/// Returns the notifications that the server offers. `None` if it offers none, or uses an older MCP version.
fn offered_notifications(peer: &Peer<RoleClient>) -> Option<SubscriptionFilter> {
    let info = peer.peer_info()?;
    if info.protocol_version < rmcp::model::ProtocolVersion::V_2026_07_28 {
        return None;
    }
    let capabilities = &info.capabilities;
    let mut filter = SubscriptionFilter::new();
    let tools = capabilities.tools.as_ref().and_then(|tools| tools.list_changed);
    filter.tools_list_changed = tools.filter(|offered| *offered);
    let resources = capabilities.resources.as_ref().and_then(|resources| resources.list_changed);
    filter.resources_list_changed = resources.filter(|offered| *offered);
    let prompts = capabilities.prompts.as_ref().and_then(|prompts| prompts.list_changed);
    filter.prompts_list_changed = prompts.filter(|offered| *offered);
    (filter != SubscriptionFilter::new()).then_some(filter)
}

async fn read(mut subscription: Subscription, changes: &ListChanges) {
    while let Ok(Some(notification)) = subscription.next().await {
        match notification {
            ServerNotification::ToolListChangedNotification(_) => changes.note(List::Tools),
            ServerNotification::ResourceListChangedNotification(_) => changes.note(List::Resources),
            ServerNotification::PromptListChangedNotification(_) => changes.note(List::Prompts),
            _ => {}
        }
    }
}

fn note_all(changes: &ListChanges, filter: &SubscriptionFilter) {
    let lists = [
        (filter.tools_list_changed, List::Tools),
        (filter.resources_list_changed, List::Resources),
        (filter.prompts_list_changed, List::Prompts),
    ];
    for (offered, list) in lists {
        if offered == Some(true) {
            changes.note(list);
        }
    }
}
