//! Tools: listing, calling, and the questions that servers ask in between.

use serde::Deserialize;
use specta::Type;
use usher_engine::{ErrorView, ServerId, ToolCallView, ToolView};

/// The person's answer to a server's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ElicitationAnswer {
    Accept,
    Decline,
    Cancel,
}

#[tauri::command]
#[specta::specta]
pub async fn server_tools(id: ServerId) -> Result<Vec<ToolView>, ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

/// Calls a tool. `call` is the page's own name for this call: progress comes under it, and `tool_cancel` takes it.
#[tauri::command]
#[specta::specta]
pub async fn tool_call(
    id: ServerId,
    name: String,
    arguments_json: String,
    call: String,
) -> Result<ToolCallView, ErrorView> {
    let _ = (id, name, arguments_json, call);
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn tool_cancel(call: String) -> Result<(), ErrorView> {
    let _ = call;
    Err(super::not_yet())
}

/// `content_json` is the form's object as JSON text, with `accept`.
#[tauri::command]
#[specta::specta]
pub async fn elicitation_answer(
    id: String,
    answer: ElicitationAnswer,
    content_json: Option<String>,
) -> Result<(), ErrorView> {
    let _ = (id, answer, content_json);
    Err(super::not_yet())
}
