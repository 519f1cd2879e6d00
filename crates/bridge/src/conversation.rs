//! The parts of the conversation that survive a restart of the engine: the client's handshake, and the ids of its open
//! requests.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The call may or may not have run. The code is outside the range that JSON-RPC reserves.
const INTERRUPTED: i32 = -31001;

#[derive(Debug, Default)]
pub struct Conversation {
    /// The client's `initialize`, with its id.
    handshake: Option<(String, String)>,
    /// The client's notification that the handshake is complete.
    initialized: Option<String>,
    /// The ids of the requests without a response, as JSON text.
    open: BTreeSet<String>,
    /// The id of a repeated handshake, whose response the client already has.
    repeated: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
}

impl Conversation {
    /// Notes a line of the client.
    pub fn note_client(&mut self, line: &[u8]) {
        let Ok(Envelope { id, method: Some(method) }) = serde_json::from_slice(line) else { return };
        let text = || String::from_utf8_lossy(line).into_owned();
        match id {
            Some(id) => {
                if method == "initialize" {
                    self.handshake = Some((id.get().to_owned(), text()));
                }
                self.open.insert(id.get().to_owned());
            }
            None if method == "notifications/initialized" => self.initialized = Some(text()),
            None => {}
        }
    }

    /// Notes a line of the engine. Returns whether the client gets it.
    pub fn note_engine(&mut self, line: &[u8]) -> bool {
        let Ok(Envelope { id: Some(id), method: None }) = serde_json::from_slice(line) else { return true };
        if self.repeated.take_if(|repeated| repeated == id.get()).is_some() {
            return false;
        }
        self.open.remove(id.get());
        true
    }

    /// Returns the lines that a new engine gets first: the handshake, if the client performed one.
    pub fn lines_for_engine(&mut self) -> Vec<String> {
        let Some((id, handshake)) = &self.handshake else { return Vec::new() };
        // If the client still waits for the response, it gets the new one.
        if !self.open.contains(id) {
            self.repeated = Some(id.clone());
        }
        std::iter::once(handshake.clone()).chain(self.initialized.clone()).collect()
    }

    /// Returns the lines that the client gets after the engine was lost: an error for each open request, and a notice
    /// that the lists may have changed.
    pub fn lines_for_client(&mut self) -> Vec<String> {
        let handshake = self.handshake.as_ref().map(|(id, _)| id.clone());
        let (kept, lost) =
            std::mem::take(&mut self.open).into_iter().partition(|id| Some(id) == handshake.as_ref());
        self.open = kept;
        let lost: BTreeSet<String> = lost;
        let mut lines: Vec<String> = lost.iter().map(|id| error(id, INTERRUPTED, INTERRUPTED_TEXT)).collect();
        if self.initialized.is_some() {
            let notices = ["tools", "resources", "prompts"];
            lines.extend(notices.map(|list| {
                format!("{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/{list}/list_changed\"}}\n")
            }));
        }
        lines
    }
}

const INTERRUPTED_TEXT: &str =
    "Usher was restarted. The call may or may not have run. Try again if that does no harm.";

/// Returns the line of an error response. `id` is JSON text.
pub fn error(id: &str, code: i32, message: &str) -> String {
    let message = serde_json::Value::from(message);
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{code},\"message\":{message}}}}}\n")
}

/// Returns the id of a request as JSON text.
pub fn request_id(line: &[u8]) -> Option<String> {
    let Envelope { id, method } = serde_json::from_slice(line).ok()?;
    method.and(id).map(|id| id.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIALIZE: &str = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\"}\n";
    const INITIALIZED: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

    #[test]
    fn the_handshake_is_repeated_and_its_second_response_is_dropped() {
        let mut conversation = Conversation::default();
        assert_eq!(conversation.lines_for_engine(), [""; 0]);
        conversation.note_client(INITIALIZE.as_bytes());
        assert!(conversation.note_engine(b"{\"id\":0,\"result\":{}}\n"));
        conversation.note_client(INITIALIZED.as_bytes());
        assert_eq!(conversation.lines_for_engine(), [INITIALIZE, INITIALIZED]);
        assert!(!conversation.note_engine(b"{\"id\":0,\"result\":{}}\n"));
        assert!(conversation.note_engine(b"{\"id\":0,\"result\":{}}\n"), "only one is dropped");
    }

    #[test]
    fn a_handshake_without_a_response_is_answered_by_the_new_engine() {
        let mut conversation = Conversation::default();
        conversation.note_client(INITIALIZE.as_bytes());
        assert_eq!(conversation.lines_for_client(), [""; 0]);
        assert_eq!(conversation.lines_for_engine(), [INITIALIZE]);
        assert!(conversation.note_engine(b"{\"id\":0,\"result\":{}}\n"));
    }

    #[test]
    fn open_requests_fail_once_and_answered_ones_do_not() {
        let mut conversation = Conversation::default();
        for line in [
            INITIALIZE,
            INITIALIZED,
            "{\"id\":\"a\",\"method\":\"tools/call\"}",
            "{\"id\":2,\"method\":\"x\"}",
        ] {
            conversation.note_client(line.as_bytes());
        }
        assert!(conversation.note_engine(b"{\"id\":0,\"result\":{}}"));
        assert!(conversation.note_engine(b"{\"id\":2,\"error\":{}}"));
        assert!(conversation.note_engine(b"{\"method\":\"notifications/progress\"}"));
        let lines = conversation.lines_for_client();
        assert!(
            lines[0].starts_with("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-31001,"),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 4, "one error, and three notices");
        assert!(lines[1].contains("tools/list_changed"));
        assert_eq!(conversation.lines_for_client().len(), 3);
    }
}
