//! What a server offers: tools, resources, prompts; calling, and the questions that servers ask in between.

use serde::Deserialize;
use serde_json::{Map, Value};
use specta::Type;
use tauri::State;
use usher_api::{ErrorView, PromptView, ResourceView, ServerId, ToolCallView, ToolView};
use usher_engine::CallOptions;

use crate::error;
use crate::shell::Shell;

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
pub async fn server_tools(shell: State<'_, Shell>, id: ServerId) -> Result<Vec<ToolView>, ErrorView> {
    shell.engine.get().await?.tools(&id).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_resources(shell: State<'_, Shell>, id: ServerId) -> Result<Vec<ResourceView>, ErrorView> {
    shell.engine.get().await?.resources(&id).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_prompts(shell: State<'_, Shell>, id: ServerId) -> Result<Vec<PromptView>, ErrorView> {
    shell.engine.get().await?.prompts(&id).await
}

/// Calls a tool. `call` is the page's own name for this call: progress comes under it, and `tool_cancel` takes it.
#[tauri::command]
#[specta::specta]
pub async fn tool_call(
    shell: State<'_, Shell>,
    id: ServerId,
    name: String,
    arguments_json: String,
    call: String,
) -> Result<ToolCallView, ErrorView> {
    let arguments = object(&arguments_json)?;
    shell.engine.get().await?.call_tool(&id, &name, arguments, CallOptions::new(call)).await
}

#[tauri::command]
#[specta::specta]
pub async fn tool_cancel(shell: State<'_, Shell>, call: String) -> Result<(), ErrorView> {
    shell.engine.get().await?.cancel_call(&call);
    Ok(())
}

/// `content_json` is the form's object as JSON text, with `accept`; `null` stands for an empty one.
#[tauri::command]
#[specta::specta]
pub async fn elicitation_answer(
    shell: State<'_, Shell>,
    id: String,
    answer: ElicitationAnswer,
    content_json: Option<String>,
) -> Result<(), ErrorView> {
    let answer = match answer {
        ElicitationAnswer::Accept => {
            let content = content_json.as_deref().map_or_else(|| Ok(Map::new()), object)?;
            usher_api::ElicitationAnswer::Accept(content)
        }
        ElicitationAnswer::Decline => usher_api::ElicitationAnswer::Decline,
        ElicitationAnswer::Cancel => usher_api::ElicitationAnswer::Cancel,
    };
    shell.engine.get().await?.answer_elicitation(&id, answer).await
}

fn object(json: &str) -> Result<Map<String, Value>, ErrorView> {
    serde_json::from_str(json)
        .map_err(|why| error::refused(format!("The values are not a JSON object: {why}.")))
}
