//! Commands for tool calls, and for the server's questions during a call.

use serde::Deserialize;
use serde_json::{Map, Value};
use specta::Type;
use tauri::State;
use usher_api::{ErrorView, ServerId, ToolCallView};
use usher_engine::CallOptions;

use crate::engine_slot::EngineSlot;
use crate::error;

/// The person's answer to a server's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ElicitationAnswer {
    Accept,
    Decline,
}

/// Calls a tool. `call` is the page's name for this call, used in progress events and to cancel the call.
#[tauri::command]
#[specta::specta]
pub async fn tool_call(
    engine: State<'_, EngineSlot>,
    id: ServerId,
    name: String,
    arguments_json: String,
    call: String,
) -> Result<ToolCallView, ErrorView> {
    let arguments = parse_object(&arguments_json)?;
    engine.get().await?.call_tool(&id, &name, arguments, CallOptions::new(call)).await
}

/// Answers a server's question. With `accept`, `content_json` is the form's JSON object as text; `null` means an empty
/// object.
#[tauri::command]
#[specta::specta]
pub async fn elicitation_answer(
    engine: State<'_, EngineSlot>,
    id: String,
    answer: ElicitationAnswer,
    content_json: Option<String>,
) -> Result<(), ErrorView> {
    let answer = match answer {
        ElicitationAnswer::Accept => {
            let content = content_json.as_deref().map_or_else(|| Ok(Map::new()), parse_object)?;
            usher_api::ElicitationAnswer::Accept(content)
        }
        ElicitationAnswer::Decline => usher_api::ElicitationAnswer::Decline,
    };
    engine.get().await?.answer_elicitation(&id, answer).await
}

fn parse_object(json: &str) -> Result<Map<String, Value>, ErrorView> {
    serde_json::from_str(json)
        .map_err(|why| error::rejected(format!("The values are not a valid JSON object ({why}).")))
}
