//! A server's availability, derived from its state.

use std::sync::Arc;

use super::outbox::Availability;
use super::phase::{Phase, Stage};
use super::state::ServerTask;
use crate::words;

pub(super) fn availability(task: &ServerTask) -> Availability {
    let name = task.name();
    match task.phase.get() {
        Phase::Connected(live) => Availability::Available(Arc::clone(&live.connection)),
        Phase::SigningIn(sign_in) => match (&sign_in.live, &sign_in.stage) {
            (Some(live), _) => Availability::Available(Arc::clone(&live.connection)),
            (None, Stage::Exchanging { .. } | Stage::Connecting { .. }) => Availability::Pending,
            (None, _) if task.endpoint.is_unattended() => Availability::Pending,
            (None, Stage::Probing { .. } | Stage::Preparing { .. } | Stage::Waiting(_)) => {
                Availability::Unavailable(words::server::waits_for_browser(&name))
            }
            (None, Stage::WaitingForDevice(_)) => {
                Availability::Unavailable(words::server::waits_for_device(&name))
            }
        },
        Phase::Connecting { .. } => Availability::Pending,
        Phase::Reconnecting { why, .. } => Availability::Retrying(why.clone()),
        Phase::Failed { error, .. } => Availability::Unavailable(error.clone()),
        Phase::NeedsSignIn { reason } => {
            Availability::Unavailable(words::server::needs_sign_in(&name, *reason))
        }
        Phase::Disabled => Availability::Unavailable(words::server::disabled(&name)),
        Phase::Paused => Availability::Unavailable(words::server::paused()),
    }
}
