//! The list of the page's commands and events. The app and the generated TypeScript both use it.

use tauri_specta::{Builder, Commands, collect_commands, collect_events};

use crate::commands::{
    application, config, demo, engine, entries, links, secret_store, secrets, servers, sign_in, tools, window,
};
use crate::events::{CloseRequested, DesktopChanged, EngineEvent, PageRequested, SnapshotTaken};

/// Returns the commands, the events and their types, from which `ui/src/backend/bindings.ts` is generated.
pub fn bindings() -> Builder<tauri::Wry> {
    Builder::new().disable_serde_phases().commands(commands()).events(collect_events![
        CloseRequested,
        DesktopChanged,
        EngineEvent,
        PageRequested,
        SnapshotTaken
    ])
}

fn commands() -> Commands<tauri::Wry> {
    collect_commands![
        application::app_info,
        application::app_retry,
        application::start_link,
        application::page_request_take,
        application::app_ready,
        application::app_painted,
        application::appearance_set,
        application::autostart_set,
        engine::engine_request,
        servers::snapshot,
        servers::catalogue_list,
        servers::server_add,
        entries::entry_check,
        entries::entry_check_replacement,
        entries::entry_merge,
        entries::entry_probe,
        entries::entry_read,
        entries::entry_add,
        entries::entry_replace,
        sign_in::server_sign_in,
        sign_in::server_sign_in_on_device,
        sign_in::server_sign_in_again,
        sign_in::server_sign_in_address,
        sign_in::server_sign_in_qr_code,
        sign_in::server_confirm_endpoints,
        sign_in::server_next_redirect,
        sign_in::sign_in_complete,
        tools::tool_call,
        tools::elicitation_answer,
        demo::demo_add,
        config::config_open,
        config::config_check,
        config::config_text_read,
        config::config_text_check,
        config::config_text_save,
        secret_store::secret_store_retry,
        secret_store::secret_store_choose,
        secrets::secret_add,
        secrets::secret_set,
        links::link_open,
        window::window_keeps_text,
        window::window_asks_person,
        window::window_close,
    ]
}
