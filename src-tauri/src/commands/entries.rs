//! Commands for the entries of `mcp.json` that a person adds or edits.
//!
//! They are not requests to the engine, because what the person enters may contain secrets.

use secrecy::SecretString;
use serde::Deserialize;
use specta::Type;
use tauri::State;
use usher_api::{EntryCheckView, EntryView, ErrorView, ProbeView, ServerId};

use crate::engine_slot::EngineSlot;

/// An entry that the person entered.
#[derive(Clone, Deserialize, Type)]
pub struct EntryInput {
    /// The name in `mcp.json`. `None` derives one. A replaced entry keeps its name.
    pub name: Option<String>,
    /// The entry as JSON.
    pub entry: String,
    /// The secrets that the person entered beside it. They go to the secret store.
    pub secrets: Vec<EntrySecret>,
    /// The digest of the launch that the person saw. It approves the program.
    pub approved: Option<String>,
}

#[derive(Clone, Deserialize, Type)]
pub struct EntrySecret {
    pub place: SecretPlace,
    pub value: String,
}

/// The place of a secret in an entry.
#[derive(Clone, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// The name of a placeholder that the entry has.
    Name(String),
    /// The keys that lead to a setting, which gets a placeholder.
    Setting(Vec<String>),
}

/// Checks an address, a command or JSON. If the JSON has several servers, `choice` is the position of one of them.
#[tauri::command]
#[specta::specta]
pub async fn entry_check(
    engine: State<'_, EngineSlot>,
    text: String,
    choice: u32,
    name: Option<String>,
) -> Result<EntryCheckView, ErrorView> {
    let choice = usize::try_from(choice).unwrap_or(usize::MAX);
    engine.get().await?.check_new(&text, choice, name.as_deref()).await
}

/// Checks the text that replaces an entry. The result says what the replacement deletes.
#[tauri::command]
#[specta::specta]
pub async fn entry_check_replacement(
    engine: State<'_, EngineSlot>,
    id: ServerId,
    text: String,
) -> Result<EntryCheckView, ErrorView> {
    engine.get().await?.check_replacement(&id, &text).await
}

/// Returns the text of an entry with the values of `changed`, which has no comments. The comments of `text` stay.
#[tauri::command]
#[specta::specta]
pub async fn entry_merge(
    engine: State<'_, EngineSlot>,
    text: String,
    changed: String,
) -> Result<String, ErrorView> {
    engine.get().await?.merge_entry(&text, &changed).await
}

/// Asks what answers at the address of an entry, before it is written.
#[tauri::command]
#[specta::specta]
pub async fn entry_probe(engine: State<'_, EngineSlot>, text: String) -> Result<ProbeView, ErrorView> {
    engine.get().await?.probe(&text).await
}

/// Returns an entry for the editor.
#[tauri::command]
#[specta::specta]
pub async fn entry_read(engine: State<'_, EngineSlot>, id: ServerId) -> Result<EntryView, ErrorView> {
    engine.get().await?.entry(&id).await
}

#[tauri::command]
#[specta::specta]
pub async fn entry_add(engine: State<'_, EngineSlot>, input: EntryInput) -> Result<ServerId, ErrorView> {
    engine.get().await?.add_entry(input.into()).await
}

/// Replaces an entry. Fails if it no longer has the version that the editor read.
#[tauri::command]
#[specta::specta]
pub async fn entry_replace(
    engine: State<'_, EngineSlot>,
    id: ServerId,
    version: String,
    input: EntryInput,
) -> Result<(), ErrorView> {
    engine.get().await?.replace_entry(&id, &version, input.into()).await
}

impl From<EntryInput> for usher_engine::EntryInput {
    fn from(input: EntryInput) -> Self {
        let secrets = input.secrets.into_iter().map(|secret| {
            let place = match secret.place {
                SecretPlace::Name(name) => usher_engine::SecretPlace::Name(name),
                SecretPlace::Setting(setting) => usher_engine::SecretPlace::Setting(setting),
            };
            (place, SecretString::from(secret.value))
        });
        Self { name: input.name, entry: input.entry, secrets: secrets.collect(), approved: input.approved }
    }
}
