//! The connected clients. If there are too many, the one that has been idle longest makes room for a new one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Far more than one person's processes need.
pub(crate) const MAX_CLIENTS: usize = 256;

/// The connections of one holder.
#[derive(Clone, Default)]
pub(crate) struct Clients(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The number of clients.
    count: watch::Sender<usize>,
    next: u64,
    clients: HashMap<u64, Entry>,
}

struct Entry {
    /// The number of requests and sign-ins that are running.
    running: usize,
    /// The time of the connection, or the end of the last request.
    idle_since: Instant,
    leave: CancellationToken,
}

/// The place of one client. Dropping it makes room for another client.
pub(crate) struct ClientSlot {
    clients: Clients,
    number: u64,
}

/// A request or a sign-in that is running. A client that has one does not make room.
pub(crate) struct Running(Arc<ClientSlot>);

impl Clients {
    /// Adds a client. `leave` is cancelled if the client must make room. Returns `None` if all clients are busy.
    pub fn admit(&self, leave: CancellationToken) -> Option<Arc<ClientSlot>> {
        let mut state = self.lock();
        if state.clients.len() >= MAX_CLIENTS {
            let idle = state.clients.iter().filter(|(_, client)| client.running == 0);
            let (number, _) = idle.min_by_key(|(number, client)| (client.idle_since, **number))?;
            let number = *number;
            if let Some(client) = state.clients.remove(&number) {
                tracing::debug!("an idle client makes room for a new one");
                client.leave.cancel();
            }
        }
        let number = state.next;
        state.next += 1;
        state.clients.insert(number, Entry { running: 0, idle_since: Instant::now(), leave });
        state.publish_count();
        Some(Arc::new(ClientSlot { clients: self.clone(), number }))
    }

    /// Waits until no client has been connected for this long.
    pub async fn idle(&self, duration: Duration) {
        let mut count = self.lock().count.subscribe();
        loop {
            // The sender is a part of `self`.
            let _ = count.wait_for(|count| *count == 0).await;
            tokio::select! {
                () = tokio::time::sleep(duration) => return,
                _ = count.changed() => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn publish_count(&self) {
        self.count.send_replace(self.clients.len());
    }
}

impl ClientSlot {
    pub fn begin(self: &Arc<Self>) -> Running {
        if let Some(client) = self.clients.lock().clients.get_mut(&self.number) {
            client.running += 1;
        }
        Running(Arc::clone(self))
    }
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        let mut state = self.clients.lock();
        state.clients.remove(&self.number);
        state.publish_count();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ClientSlot { clients, number } = &*self.0;
        if let Some(client) = clients.lock().clients.get_mut(number) {
            client.running -= 1;
            client.idle_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_holder_is_idle_when_it_had_no_client_for_a_while() {
        let clients = Clients::default();
        let client = clients.admit(CancellationToken::new()).expect("there is room");
        let idle = tokio::spawn({
            let clients = clients.clone();
            async move { clients.idle(Duration::from_secs(300)).await }
        });
        tokio::time::sleep(Duration::from_secs(1000)).await;
        drop(client);
        tokio::time::sleep(Duration::from_secs(299)).await;
        drop(clients.admit(CancellationToken::new()).expect("there is room"));
        tokio::time::sleep(Duration::from_secs(299)).await;
        assert!(!idle.is_finished());
        tokio::time::timeout(Duration::from_secs(2), idle).await.expect("idle in time").expect("no panic");
    }

    #[test]
    fn the_client_that_is_idle_longest_makes_room_and_a_busy_one_does_not() {
        let clients = Clients::default();
        let tokens: Vec<_> = (0..MAX_CLIENTS).map(|_| CancellationToken::new()).collect();
        let slots: Vec<_> =
            tokens.iter().map(|token| clients.admit(token.clone()).expect("there is room")).collect();
        let _busy = slots[0].begin();
        drop(slots[1].begin());
        let next = clients.admit(CancellationToken::new()).expect("an idle client makes room");
        let left: Vec<_> = (0..MAX_CLIENTS).filter(|index| tokens[*index].is_cancelled()).collect();
        assert_eq!(left, [2]);
        drop(next);
        clients.admit(CancellationToken::new()).expect("there is room");
        assert!(!tokens[3].is_cancelled());
        let _all_busy: Vec<_> = slots.iter().map(ClientSlot::begin).collect();
        let _last = clients.admit(CancellationToken::new()).expect("there is room").begin();
        assert!(clients.admit(CancellationToken::new()).is_none());
    }
}
