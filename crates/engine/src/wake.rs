//! Detects that the computer slept or joined a network, and reconnects every server.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::context::Context;
use crate::server::message::Message;
use crate::servers::Servers;

/// The time between two observations.
const INTERVAL: Duration = Duration::from_secs(2);
/// The largest difference between the clocks that is ignored. Smaller differences come from reading the clocks one
/// after the other, and from small corrections.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// Observes the clocks and addresses until the engine stops. Polling is cheaper than each system's power and network
/// notifications, and works without them.
pub(crate) fn watch(context: Arc<Context>, servers: Arc<Servers>) {
    tokio::spawn(async move {
        let observe = || Observation::now(context.options.clock.now_for_wake());
        let mut before = observe();
        loop {
            tokio::select! {
                () = context.stopping.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            let now = observe();
            if now.slept_since(&before) || now.joined_since(&before) {
                tracing::info!("the computer slept, or its network changed");
                servers.send_all(|| Message::Reconnect);
            }
            before = now;
        }
    });
}

struct Observation {
    wall: Timestamp,
    /// The clock of all timers, which stops while the computer sleeps.
    running: Instant,
    addresses: BTreeSet<IpAddr>,
}

impl Observation {
    fn now(wall: Timestamp) -> Self {
        Self { wall, running: Instant::now(), addresses: addresses() }
    }

    /// Returns whether the wall clock moved differently from the running clock. A wall clock that was set back counts,
    /// too, because every deadline moves with it.
    fn slept_since(&self, before: &Self) -> bool {
        let ran = SignedDuration::try_from(self.running.duration_since(before.running));
        let ahead = self.wall.duration_since(before.wall) - ran.unwrap_or(SignedDuration::MAX);
        ahead.abs() > SLACK
    }

    fn joined_since(&self, before: &Self) -> bool {
        !self.addresses.is_subset(&before.addresses)
    }
}

/// Returns the addresses of this computer, without loopback and link-local addresses.
fn addresses() -> BTreeSet<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let on_a_network =
        interfaces.iter().filter(|interface| !interface.is_loopback() && !interface.is_link_local());
    on_a_network.map(|interface| interface.ip()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(wall: i64, running: Instant, addresses: &[&str]) -> Observation {
        let addresses = addresses.iter().map(|address| address.parse().expect("parse the address")).collect();
        Observation { wall: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(wall), running, addresses }
    }

    #[test]
    fn a_sleep_moves_only_the_wall_clock() {
        let start = Instant::now();
        let before = observation(100, start, &[]);
        let after = |wall, seconds| observation(wall, start + Duration::from_secs(seconds), &[]);
        assert!(!after(102, 2).slept_since(&before));
        assert!(!after(160, 60).slept_since(&before), "a suspended process is not a sleep");
        assert!(after(3700, 2).slept_since(&before));
        assert!(after(50, 2).slept_since(&before), "a clock that was set back counts as a sleep");
    }

    #[test]
    fn a_new_address_means_that_a_network_was_joined() {
        let now = Instant::now();
        let (none, home) = (observation(0, now, &[]), observation(0, now, &["192.168.1.5"]));
        let both = observation(0, now, &["192.168.1.5", "10.8.0.2"]);
        assert!(home.joined_since(&none) && both.joined_since(&home));
        assert!(!none.joined_since(&home) && !home.joined_since(&both) && !home.joined_since(&home));
    }
}
