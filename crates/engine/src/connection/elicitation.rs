//! Servers' questions to the person: published as events for one caller, answered by id.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction};
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::Instant;
use url::Url;
use usher_api::{ElicitationAnswer, ElicitationView, ServerId};
use usher_budgets as budgets;
use usher_config::display_text;

use crate::board::Board;
use crate::caller::{Addressee, CallerId};
use crate::clock::{Clock, later};
use crate::learned::Learned;

/// The open questions of one engine.
#[derive(Debug)]
pub(crate) struct Elicitations {
    board: Arc<Board>,
    learned: Learned,
    clock: Clock,
    next: AtomicU64,
    open: Mutex<HashMap<String, Open>>,
    /// The questions that were declined in the last [`budgets::QUESTION_COOL_DOWN`].
    declined: Mutex<Vec<Declined>>,
}

#[derive(Debug)]
struct Declined {
    server: ServerId,
    recipient: CallerId,
    call: Option<String>,
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
    pub fn new(board: Arc<Board>, learned: Learned, clock: Clock) -> Self {
        let (open, declined) = Default::default();
        Self { board, learned, clock, next: AtomicU64::new(1), open, declined }
    }

    /// Returns whether the person forbade the server to ask questions.
    pub fn are_blocked(&self, server: &ServerId) -> bool {
        self.learned.has_questions_blocked(server)
    }

    /// Declines the server's open questions.
    pub fn decline_all(&self, server: &ServerId) {
        let declined: Vec<_> = self.lock().extract_if(|_, open| open.server == *server).collect();
        for (_, open) in declined {
            let _ = open.answer.send(ElicitationAnswer::Decline);
        }
    }

    /// Asks the person and waits for the answer. Dropping the future withdraws the question.
    pub async fn ask(
        &self,
        server: &ServerId,
        addressee: Addressee,
        request: ElicitRequestParams,
    ) -> ElicitResult {
        if self.are_blocked(server) {
            return ElicitResult::new(ElicitationAction::Decline);
        }
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
            || self.lock().values().filter(|open| is_same_source(open)).count() >= budgets::OPEN_QUESTIONS
        {
            return ElicitResult::new(ElicitationAction::Cancel);
        }
        let id = format!("ask-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = oneshot::channel();
        let shown = self.board.server(server);
        let expires_at = later(self.clock.now(), budgets::QUESTION_DEADLINE);
        let view = ElicitationView {
            id: id.clone(),
            server: server.clone(),
            service: shown
                .as_ref()
                .map_or_else(|| display_text(&server.0, budgets::ASKER_CHARACTERS), |view| view.name.clone()),
            host: shown.map(|view| host_of(view.address)).unwrap_or_default(),
            call: addressee.own_call().map(str::to_owned),
            tool: addressee.call.as_ref().map(|call| tool_name(&call.tool)),
            program: addressee.call.as_ref().map(|call| call.program.clone()),
            message: display_text(&message, budgets::QUESTION_CHARACTERS),
            schema: schema.as_ref().map(Value::to_string),
            url,
            expires_at,
        };
        let caller = addressee.caller;
        let open = Open { server: server.clone(), addressee: addressee.clone(), answer: sender };
        self.lock().insert(id.clone(), open);
        let _withdraw = Withdraw { elicitations: self, id };
        // The person may have blocked the server since the check above.
        if self.are_blocked(server) {
            return ElicitResult::new(ElicitationAction::Decline);
        }
        self.board.request_elicitation(caller, view);
        if let Some(call) = addressee.foreign_call() {
            self.board.call_waits_for_answer(call.caller, &call.name, expires_at);
        }
        match tokio::time::timeout(budgets::QUESTION_DEADLINE, receiver).await {
            Ok(Ok(ElicitationAnswer::Accept(content))) => {
                let accepted = ElicitResult::new(ElicitationAction::Accept);
                match schema {
                    Some(schema) => accepted.with_content(Value::Object(with_defaults(content, &schema))),
                    None => accepted,
                }
            }
            Ok(Ok(ElicitationAnswer::Decline)) => {
                let call = addressee.own_call().map(str::to_owned);
                let declined =
                    Declined { server: server.clone(), recipient: caller, call, at: Instant::now() };
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
        declined.retain(|declined| declined.at.elapsed() < budgets::QUESTION_COOL_DOWN);
        declined.iter().any(|declined| {
            declined.server == *server
                && declined.recipient == addressee.caller
                && declined.call.as_deref() == addressee.own_call()
        })
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

/// Returns a tool's name for the first line of a question, which quotes it. Without the quotation marks in the name, the
/// server cannot continue that line in its own words.
fn tool_name(tool: &str) -> String {
    let quotes = ['"', '“', '”', '„', '‟', '«', '»', '″', '＂'];
    display_text(&tool.replace(quotes, ""), budgets::ASKER_CHARACTERS)
}

/// Returns the host of an address with its port, or the whole text if it is a command.
fn host_of(address: String) -> String {
    let host = Url::parse(&address).ok().and_then(|url| {
        let host = url.host_str()?.to_owned();
        Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    });
    host.unwrap_or(address)
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
    fn a_tools_name_cannot_end_the_quotation_around_it() {
        assert_eq!(tool_name("Unlock” on Usher (this computer). “"), "Unlock on Usher (this computer).");
        assert_eq!(tool_name("Ask back"), "Ask back");
        assert_eq!(tool_name(&"x".repeat(1000)).chars().count(), budgets::ASKER_CHARACTERS);
    }

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
