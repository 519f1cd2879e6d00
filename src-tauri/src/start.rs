//! The start of the app's parts, in order.

use std::time::Duration;

use tauri::{AppHandle, Manager};
use usher_config::{ConfigFile, Environment};
use usher_engine::EngineOptions;

use crate::demo::DemoSlot;
use crate::desktop_features::{AutostartState, DesktopFeatures};
use crate::engine_slot::EngineSlot;
use crate::links::registration::LinkRegistration;
use crate::links::start_link::StartLink;
use crate::notices::NoticeQueue;
use crate::options::Paths;
use crate::settings::Settings;
use crate::tray::Tray;
use crate::tray::content::Content;
use crate::window::page_request::PageRequests;
use crate::window::unsaved_text::UnsavedText;
use crate::{autostart, engine_events, events, keychain, links, notices, tray, window};

/// How long the engine waits for the demo.
const DEMO_HEAD_START: Duration = Duration::from_secs(1);

/// Creates the state that commands and background tasks use.
pub fn manage_state(app: &AppHandle, paths: Paths, with_link: bool) {
    // The folders are created first: the window plugin creates no folders, and the tray would create a folder with
    // permissions that the engine rejects.
    for folder in [&paths.state_dir, &paths.runtime_dir] {
        if let Err(error) = usher_secrets::private_files::create_private_dir(folder) {
            tracing::warn!(path = %folder.display(), %error, "this folder cannot be used");
        }
    }
    app.manage(Settings::load(&paths.state_dir, paths.secret_store.clone()));
    app.manage(DemoSlot::new(&paths.state_dir, paths.config.clone()));
    app.manage(paths);
    app.manage(EngineSlot::new());
    app.manage(DesktopFeatures::new(AutostartState::Unavailable));
    app.manage(LinkRegistration::default());
    app.manage(StartLink::new(with_link));
    app.manage(PageRequests::default());
    app.manage(UnsavedText::default());
    app.manage(Tray::new());
    app.manage(NoticeQueue::default());
}

/// Starts everything but the window. `link` is the link that started the app; its delivery waits for the engine.
pub fn start_parts(app: &AppHandle, link: Option<String>) {
    #[cfg(target_os = "macos")]
    links::deep_link::listen(app);
    if let Some(address) = link {
        links::deep_link::deliver_start_link(app, address);
    }
    app.state::<DesktopFeatures>().set_autostart(autostart::state(app));
    events::forward_desktop(app);
    tray::start(app);
    notices::start(app);
    window::keep_reachable(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move { start_engine(&app).await });
}

/// Writes an `mcp.json` with examples if it is missing, registers for links, starts the demo if the person added it,
/// then starts the engine.
pub async fn start_engine(app: &AppHandle) {
    let links = app.state::<LinkRegistration>();
    let Paths { config, state_dir, runtime_dir, .. } = app.state::<Paths>().inner().clone();
    let file = ConfigFile::new(config.clone(), Environment::of_process());
    if let Err(error) = file.create_if_missing() {
        tracing::warn!(%error, "the examples could not be written");
    }
    let (receives_links, ()) = tokio::join!(links.register(app), resume_demo(app));
    let options = EngineOptions {
        receives_links,
        // The system must not ask for the keychain's password at the start. It may ask when the person retries.
        asks_to_unlock: false,
        ..EngineOptions::new(config, state_dir, runtime_dir, app.state::<Settings>().secret_store())
    };
    let tray = app.state::<Tray>();
    let window_app = app.clone();
    let on_command_running = || tray.show(Content::command_running());
    let engine = app.state::<EngineSlot>();
    match engine.start(options, move || window::open(&window_app), on_command_running).await {
        Ok(engine) => {
            keychain::watch(app, &engine);
            engine_events::forward(app, engine);
        }
        Err(error) => {
            tracing::error!(error = error.message, "the engine did not start");
            tray.show(Content::start_failed());
        }
    }
}

/// Starts the demo before the engine, so that the engine's first attempt to connect succeeds. If the demo is still
/// waiting for its key in a locked keychain, the engine starts without the demo.
async fn resume_demo(app: &AppHandle) {
    let app = app.clone();
    let resumed = tauri::async_runtime::spawn(async move {
        let store = app.state::<Settings>().secret_store();
        app.state::<DemoSlot>().resume(store).await
    });
    if tokio::time::timeout(DEMO_HEAD_START, resumed).await.is_err() {
        tracing::warn!("the demo is still waiting for its key");
    }
}
