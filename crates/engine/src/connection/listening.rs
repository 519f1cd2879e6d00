//! Listening to a server of the stateless revision (`subscriptions/listen`): what changes, and whether it is there.

use std::time::Duration;

use rmcp::model::{ServerNotification, SubscriptionFilter};
use rmcp::service::{Peer, RoleClient, Subscription};
use tokio::time::Instant;

use crate::connection::changes::{Changes, List};
use crate::connection::fault::Fault;
use crate::connection::lifeline::Lifeline;
use crate::connection::rmcp_fault::from_service;
use crate::server::backoff::backoff;

/// A connection that only lists or calls once needs no listening.
const SETTLING: Duration = Duration::from_secs(1);
/// How long the server may take to say that it will tell.
const PATIENCE: Duration = Duration::from_secs(30);
/// A stream that lived so long ended in its own time; one that did not is not opened again at once.
const GOOD_LIFE: Duration = Duration::from_secs(10);

/// Listens until it is dropped, or until the server says that it does not tell.
pub(crate) async fn listen(peer: Peer<RoleClient>, changes: &Changes, lifeline: &Lifeline) {
    let Some(filter) = announced(&peer) else { return };
    tokio::time::sleep(SETTLING).await;
    let mut short_lives = 0;
    let mut is_first = true;
    loop {
        let next_sign_in = lifeline.next_sign_in();
        let begun = Instant::now();
        let fault = match tokio::time::timeout(PATIENCE, peer.listen(filter.clone())).await {
            Ok(Ok(subscription)) => {
                // What changed while nobody listened was told to nobody.
                if !is_first {
                    note_all(changes, subscription.acknowledged());
                }
                follow(subscription, changes).await;
                None
            }
            Ok(Err(error)) => Some(from_service(error)),
            Err(_) => Some(Fault::TimedOut(PATIENCE.as_secs())),
        };
        is_first = false;
        match fault {
            None | Some(Fault::Lost) => {}
            Some(fault @ (Fault::Unauthorized { .. } | Fault::Credentials(_) | Fault::Unreachable(_))) => {
                lifeline.report(fault);
                next_sign_in.came().await;
                continue;
            }
            Some(fault) if fault.is_transient() => {}
            // It does not know the method, or does not like it.
            Some(_) => return,
        }
        if begun.elapsed() >= GOOD_LIFE {
            short_lives = 0;
        } else {
            short_lives += 1;
            // The first time at once: a server that has gone away is to be noticed now.
            if short_lives > 1 {
                tokio::time::sleep(backoff(short_lives, None)).await;
            }
        }
    }
}

/// What the server promises to tell; `None` where that is nothing, or where it speaks of an older revision.
fn announced(peer: &Peer<RoleClient>) -> Option<SubscriptionFilter> {
    let info = peer.peer_info()?;
    if info.protocol_version < rmcp::model::ProtocolVersion::V_2026_07_28 {
        return None;
    }
    let capabilities = &info.capabilities;
    let mut filter = SubscriptionFilter::new();
    let tools = capabilities.tools.as_ref().and_then(|tools| tools.list_changed);
    filter.tools_list_changed = tools.filter(|told| *told);
    let resources = capabilities.resources.as_ref().and_then(|resources| resources.list_changed);
    filter.resources_list_changed = resources.filter(|told| *told);
    let prompts = capabilities.prompts.as_ref().and_then(|prompts| prompts.list_changed);
    filter.prompts_list_changed = prompts.filter(|told| *told);
    (filter != SubscriptionFilter::new()).then_some(filter)
}

async fn follow(mut subscription: Subscription, changes: &Changes) {
    while let Ok(Some(notification)) = subscription.next().await {
        match notification {
            ServerNotification::ToolListChangedNotification(_) => changes.note(List::Tools),
            ServerNotification::ResourceListChangedNotification(_) => changes.note(List::Resources),
            ServerNotification::PromptListChangedNotification(_) => changes.note(List::Prompts),
            _ => {}
        }
    }
}

fn note_all(changes: &Changes, filter: &SubscriptionFilter) {
    let lists = [
        (filter.tools_list_changed, List::Tools),
        (filter.resources_list_changed, List::Resources),
        (filter.prompts_list_changed, List::Prompts),
    ];
    for (told, list) in lists {
        if told == Some(true) {
            changes.note(list);
        }
    }
}
