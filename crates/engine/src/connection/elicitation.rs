//! Servers' questions to the person: published as events for one caller, answered by id.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction};
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::Instant;
use usher_api::{ElicitationAnswer, ElicitationView, ServerId};
use usher_config::display_text;

use crate::board::Board;
use crate::caller::{Addressee, CallerId};

/// The time that the person has to answer.
const DEADLINE: Duration = Duration::from_secs(10 * 60);
/// The largest number of open questions of one server to one caller. Further questions are cancelled.
const MAX_OPEN: usize = 8;
const LONGEST_MESSAGE: usize = 10_000;
/// The time after a declined question in which further questions of the same server for the same call are cancelled.
/// The person would otherwise have to decline a repeated question again and again.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// The open questions of one engine.
#[derive(Debug)]
pub(crate) struct Elicitations {
    board: Arc<Board>,
    next: AtomicU64,
    open: Mutex<HashMap<String, Open>>,
    /// The questions that were declined in the last [`COOL_DOWN`].
    declined: Mutex<Vec<Declined>>,
}

#[derive(Debug)]
struct Declined {
    server: ServerId,
    addressee: Addressee,
    at: Instant,
}

#[derive(Debug)]
struct Open {
    server: ServerId,
    addressee: Addressee,
    answer: oneshot::Sender<ElicitationAnswer>,
}

/// The error for an id that belongs to no open question of the caller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoOpenQuestion;

impl Elicitations {
    pub fn new(board: Arc<Board>) -> Self {
        Self { board, next: AtomicU64::new(1), open: Mutex::default(), declined: Mutex::default() }
    }

    /// Asks the person and waits for the answer. Dropping the future withdraws the question.
    pub async fn ask(
        &self,
        server: &ServerId,
        addressee: Addressee,
        request: ElicitRequestParams,
    ) -> ElicitResult {
        let (message, schema, url) = match request {
            ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
                match serde_json::to_value(&requested_schema) {
                    Ok(schema) => (message, Some(schema), None),
                    Err(_) => return ElicitResult::new(ElicitationAction::Cancel),
                }
            }
            ElicitRequestParams::UrlElicitationParams { message, url, .. } => (message, None, Some(url)),
            // An unknown kind of question.
            _ => return ElicitResult::new(ElicitationAction::Decline),
        };
        let is_same_source =
            |open: &Open| open.server == *server && open.addressee.caller == addressee.caller;
        if self.was_declined(server, &addressee)
            || self.lock().values().filter(|open| is_same_source(open)).count() >= MAX_OPEN
        {
            return ElicitResult::new(ElicitationAction::Cancel);
        }
        let id = format!("ask-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = oneshot::channel();
        let view = ElicitationView {
            id: id.clone(),
            server: server.clone(),
            call: addressee.call.clone(),
            message: display_text(&message, LONGEST_MESSAGE),
            schema: schema.as_ref().map(Value::to_string),
            url,
        };
        let caller = addressee.caller;
        let open = Open { server: server.clone(), addressee: addressee.clone(), answer: sender };
        self.lock().insert(id.clone(), open);
        self.board.request_elicitation(caller, view);
        let _withdraw = Withdraw { elicitations: self, id };
        match tokio::time::timeout(DEADLINE, receiver).await {
            Ok(Ok(ElicitationAnswer::Accept(content))) => {
                let accepted = ElicitResult::new(ElicitationAction::Accept);
                match schema {
                    Some(schema) => accepted.with_content(Value::Object(with_defaults(content, &schema))),
                    None => accepted,
                }
            }
            Ok(Ok(ElicitationAnswer::Decline)) => {
                let declined = Declined { server: server.clone(), addressee, at: Instant::now() };
                self.declined.lock().unwrap_or_else(PoisonError::into_inner).push(declined);
                ElicitResult::new(ElicitationAction::Decline)
            }
            Ok(Ok(ElicitationAnswer::Cancel)) | Ok(Err(_)) | Err(_) => {
                ElicitResult::new(ElicitationAction::Cancel)
            }
        }
    }

    /// Accepts an answer from the caller to which the question was sent.
    pub fn answer(
        &self,
        caller: CallerId,
        id: &str,
        answer: ElicitationAnswer,
    ) -> Result<(), NoOpenQuestion> {
        let open = {
            let mut open = self.lock();
            let is_asked = open.get(id).is_some_and(|open| open.addressee.caller == caller);
            is_asked.then(|| open.remove(id)).flatten().ok_or(NoOpenQuestion)?
        };
        open.answer.send(answer).map_err(|_| NoOpenQuestion)
    }

    /// Returns whether the server has an open question that belongs to this call or to no known call. While such a
    /// question is open, the call's idle timeout does not apply.
    pub fn is_open(&self, server: &ServerId, addressee: &Addressee) -> bool {
        let concerns = |open: &Open| open.addressee == *addressee || open.addressee.call.is_none();
        self.lock().values().any(|open| open.server == *server && concerns(open))
    }

    fn was_declined(&self, server: &ServerId, addressee: &Addressee) -> bool {
        let mut declined = self.declined.lock().unwrap_or_else(PoisonError::into_inner);
        declined.retain(|declined| declined.at.elapsed() < COOL_DOWN);
        declined.iter().any(|declined| declined.server == *server && declined.addressee == *addressee)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Withdraws the question when dropped.
struct Withdraw<'a> {
    elicitations: &'a Elicitations,
    id: String,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        self.elicitations.lock().remove(&self.id);
        self.elicitations.board.end_elicitation(&self.id);
    }
}

/// Fills missing fields with the schema's defaults.
fn with_defaults(mut content: Map<String, Value>, schema: &Value) -> Map<String, Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(default) = property.get("default")
            && !content.contains_key(name)
        {
            content.insert(name.clone(), default.clone());
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn missing_fields_get_their_default_and_given_fields_stay() {
        let schema = json!({ "type": "object", "properties": {
            "name": { "type": "string", "default": "Ada" },
            "age": { "type": "integer", "default": 36 },
            "note": { "type": "string" },
            "sure": { "type": "boolean", "default": true },
        }});
        let given = json!({ "age": 1, "sure": false });
        let Value::Object(given) = given else { panic!("an object") };
        let filled = Value::Object(with_defaults(given, &schema));
        assert_eq!(filled, json!({ "age": 1, "sure": false, "name": "Ada" }));
    }
}
