//! A request of a caller: a tool call, or one that passes through the engine.

use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientRequest, CustomRequest, InputResponses};
use serde_json::{Map, Value};

use super::Connection;

/// A request during which the server may report progress and ask for input.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Tool(CallToolRequestParams),
    /// A request that does no harm if it is repeated, such as `resources/read`.
    Other {
        method: String,
        params: Map<String, Value>,
    },
}

impl Operation {
    /// A request without input from the person.
    pub fn request(&self) -> ClientRequest {
        match self {
            Self::Tool(params) => ClientRequest::CallToolRequest(CallToolRequest::new(params.clone())),
            Self::Other { method, params } => {
                let params = Value::Object(params.clone());
                ClientRequest::CustomRequest(CustomRequest::new(method.clone(), Some(params)))
            }
        }
    }

    /// Adds the input that the server asked for, for the next request.
    pub fn set_input(&mut self, responses: Option<InputResponses>, state: Option<String>) {
        match self {
            Self::Tool(params) => {
                params.input_responses = responses;
                params.request_state = state;
            }
            Self::Other { params, .. } => {
                let fields = [
                    ("inputResponses", responses.and_then(|responses| serde_json::to_value(responses).ok())),
                    ("requestState", state.map(Value::String)),
                ];
                for (name, value) in fields {
                    match value {
                        Some(value) => drop(params.insert(name.to_owned(), value)),
                        None => drop(params.remove(name)),
                    }
                }
            }
        }
    }

    /// The name of the tool, if the request calls one.
    pub fn tool(&self) -> Option<&str> {
        match self {
            Self::Tool(params) => Some(&params.name),
            Self::Other { .. } => None,
        }
    }

    /// The method and, of a tool call, the tool. Step-ups are counted for each.
    pub fn label(&self) -> String {
        match self {
            Self::Tool(params) => format!("tools/call {}", params.name),
            Self::Other { method, .. } => method.clone(),
        }
    }

    /// The title of the tool, or the method, for the person.
    pub fn title(&self, connection: &Connection) -> String {
        match self {
            Self::Tool(params) => connection.title_of(&params.name),
            Self::Other { method, .. } => method.clone(),
        }
    }

    /// Returns whether the request may be sent again when the outcome of the first one is unknown.
    pub fn may_repeat(&self, connection: &Connection) -> bool {
        match self {
            Self::Tool(params) => connection.may_repeat(&params.name),
            Self::Other { .. } => true,
        }
    }
}
