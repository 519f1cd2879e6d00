//! The announcements of changed lists to one client.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tokio_util::sync::CancellationToken;
use usher_engine::ListName;

use crate::members::Members;
use crate::outbox::Outbox;
use crate::rpc::{Failure, notification};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The lists that a client can listen to: the field of the filter, and the notification.
const NOTICES: [(ListName, &str, &str); 3] = [
    (ListName::Tools, "toolsListChanged", "notifications/tools/list_changed"),
    (ListName::Resources, "resourcesListChanged", "notifications/resources/list_changed"),
    (ListName::Prompts, "promptsListChanged", "notifications/prompts/list_changed"),
];

/// The lists that a client has seen, and how it wants to hear of changes.
#[derive(Debug, Default)]
pub(crate) struct Announcements(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The client performed the handshake, after which changes are announced without being asked for.
    is_legacy: bool,
    /// The lists of each open `subscriptions/listen`, by the JSON text of its id.
    listeners: HashMap<String, Vec<ListName>>,
    /// A hash of each list as the client saw it last.
    seen: HashMap<ListName, u64>,
}

impl Announcements {
    /// Notes that the client performed the handshake.
    pub fn use_legacy(&self) {
        self.lock().is_legacy = true;
    }

    /// Notes that the client got a list.
    pub fn note_seen(&self, list: ListName, json: &str) {
        self.lock().seen.insert(list, hash(json));
    }

    /// Returns whether the client has a different list, and notes the new one.
    pub fn is_news(&self, list: ListName, json: &str) -> bool {
        let mut state = self.lock();
        let Some(seen) = state.seen.get_mut(&list) else { return false };
        std::mem::replace(seen, hash(json)) != hash(json)
    }

    /// Returns the notifications about a changed list, as lines.
    pub fn of(&self, list: ListName) -> Vec<String> {
        let list = if list == ListName::ResourceTemplates { ListName::Resources } else { list };
        let state = self.lock();
        let methods = NOTICES.iter().filter(|(known, ..)| *known == list).map(|(.., method)| *method);
        let mut lines = Vec::new();
        for method in methods {
            if state.is_legacy {
                lines.push(notification(method, None));
            }
            let listeners = state.listeners.iter().filter(|(_, lists)| lists.contains(&list));
            lines.extend(listeners.map(|(id, _)| notification(method, Some(&tagged(id)))));
        }
        lines
    }

    /// Handles `subscriptions/listen` until the client cancels it. `id` is the JSON text of the request's id.
    pub async fn listen(
        &self,
        outbox: &Outbox,
        id: &str,
        params: &Members<'_>,
        cancelled: &CancellationToken,
    ) -> Result<String, Failure> {
        let filter = params.get("notifications").and_then(Members::parse).unwrap_or_default();
        let wanted = NOTICES.iter().filter(|(_, field, _)| filter.get(field) == Some("true"));
        let accepted: serde_json::Map<_, _> =
            wanted.clone().map(|(_, field, _)| ((*field).to_owned(), true.into())).collect();
        self.lock().listeners.insert(id.to_owned(), wanted.map(|(list, ..)| *list).collect());
        let mut acknowledged = tagged(id);
        acknowledged.pop();
        acknowledged.push_str(&format!(",\"notifications\":{}}}", json!(accepted)));
        outbox.send(notification("notifications/subscriptions/acknowledged", Some(&acknowledged))).await;
        cancelled.cancelled().await;
        self.lock().listeners.remove(id);
        Ok(format!("{{\"resultType\":\"complete\",{}", &tagged(id)[1..]))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns parameters that name the subscription.
fn tagged(id: &str) -> String {
    format!("{{\"_meta\":{{\"{SUBSCRIPTION}\":{id}}}}}")
}

fn hash(json: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_that_the_client_saw_differently_is_news() {
        let announcements = Announcements::default();
        assert!(!announcements.is_news(ListName::Tools, "[1]"), "the client never asked for it");
        announcements.note_seen(ListName::Tools, "[1]");
        assert!(!announcements.is_news(ListName::Tools, "[1]"));
        assert!(announcements.is_news(ListName::Tools, "[2]"));
        assert!(!announcements.is_news(ListName::Tools, "[2]"), "it is announced once");
    }

    #[tokio::test]
    async fn changes_are_announced_after_a_handshake_or_to_those_who_listen() {
        let announcements = Announcements::default();
        assert_eq!(announcements.of(ListName::Tools), [""; 0]);
        let (outbox, mut lines) = Outbox::new();
        let cancelled = CancellationToken::new();
        let params =
            Members::parse(r#"{"notifications":{"toolsListChanged":true,"x":true}}"#).expect("an object");
        let listening = announcements.listen(&outbox, "\"a\"", &params, &cancelled);
        let check = async {
            let acknowledged = lines.recv().await.expect("a line");
            assert!(acknowledged.contains(r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":"a"},"notifications":{"toolsListChanged":true}}"#), "{acknowledged}");
            let announced = announcements.of(ListName::Tools);
            assert!(announced.len() == 1 && announced[0].contains("subscriptionId\":\"a\""), "{announced:?}");
            assert_eq!(announcements.of(ListName::Prompts), [""; 0]);
            cancelled.cancel();
        };
        let (result, ()) = tokio::join!(listening, check);
        assert!(result.is_ok_and(|result| result.contains("subscriptionId\":\"a\"")));
        assert_eq!(announcements.of(ListName::Tools), [""; 0]);
        announcements.use_legacy();
        let expected = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/list_changed\"}\n";
        assert_eq!(announcements.of(ListName::ResourceTemplates), [expected]);
    }
}
