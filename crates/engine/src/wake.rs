//! Notices that the computer slept, or joined a network: what waits is tried at once, and what came due is renewed.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::server::Message;
use crate::shared::Shared;

const TICK: Duration = Duration::from_secs(2);
/// The two clocks are read one after the other and set by hand now and then; sleep is longer.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// Looks now and then until the engine stops. Looking costs less than a connection to each system's own messenger, and
/// works where there is none.
pub(crate) fn watch(shared: Arc<Shared>) {
    tokio::spawn(async move {
        let look = || Look::now(shared.options.clock.now());
        let mut before = look();
        loop {
            tokio::select! {
                () = shared.stopping.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            let now = look();
            if now.slept_since(&before) || now.joined_since(&before) {
                tracing::info!("the computer slept, or its network changed");
                for handle in shared.servers().values() {
                    handle.send(Message::Rejoin);
                }
            }
            before = now;
        }
    });
}

struct Look {
    wall: Timestamp,
    /// Stands still while the computer sleeps, as all our timers do.
    running: Instant,
    addresses: BTreeSet<IpAddr>,
}

impl Look {
    fn now(wall: Timestamp) -> Self {
        Self { wall, running: Instant::now(), addresses: addresses() }
    }

    /// The time of day went on without us; one that was set back moves every deadline, too.
    fn slept_since(&self, before: &Self) -> bool {
        let ran = SignedDuration::try_from(self.running.duration_since(before.running));
        let ahead = self.wall.duration_since(before.wall) - ran.unwrap_or(SignedDuration::MAX);
        ahead.abs() > SLACK
    }

    fn joined_since(&self, before: &Self) -> bool {
        !self.addresses.is_subset(&before.addresses)
    }
}

/// The addresses by which this computer is on a network.
fn addresses() -> BTreeSet<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let on_a_network =
        interfaces.iter().filter(|interface| !interface.is_loopback() && !interface.is_link_local());
    on_a_network.map(|interface| interface.ip()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(wall: i64, running: Instant, addresses: &[&str]) -> Look {
        let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
        Look { wall: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(wall), running, addresses }
    }

    #[test]
    fn sleep_is_what_only_the_wall_clock_saw() {
        let start = Instant::now();
        let before = look(100, start, &[]);
        let after = |wall, seconds| look(wall, start + Duration::from_secs(seconds), &[]);
        assert!(!after(102, 2).slept_since(&before));
        assert!(!after(160, 60).slept_since(&before), "a process that was held up is no sleep");
        assert!(after(3700, 2).slept_since(&before));
        assert!(after(50, 2).slept_since(&before), "a clock that was set back");
    }

    #[test]
    fn a_network_is_joined_by_a_new_address() {
        let now = Instant::now();
        let (none, home) = (look(0, now, &[]), look(0, now, &["192.168.1.5"]));
        let both = look(0, now, &["192.168.1.5", "10.8.0.2"]);
        assert!(home.joined_since(&none) && both.joined_since(&home));
        assert!(!none.joined_since(&home) && !home.joined_since(&both) && !home.joined_since(&home));
    }
}
