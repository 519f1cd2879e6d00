//! What the commands reach, and the order in which its parts start.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tauri::{AppHandle, Manager};
use tokio::sync::watch;
use usher_api::ErrorView;
use usher_engine::EngineOptions;
use usher_secrets::StoreKind;

use crate::demo::DemoSlot;
use crate::desktop::{AutostartPart, DesktopParts};
use crate::engine_slot::EngineSlot;
use crate::notice::Notices;
use crate::options::Places;
use crate::settings::Settings;
use crate::tray::Tray;
use crate::tray::content::Content;
use crate::wanted::Wanted;
use crate::{events, keychain, registration, window};

/// How long the engine waits for the demo.
const HEAD_START: Duration = Duration::from_secs(1);

/// The shell around one engine.
pub struct Shell {
    pub places: Places,
    pub settings: Settings,
    pub engine: EngineSlot,
    pub demo: DemoSlot,
    pub links: registration::Links,
    pub desktop: DesktopParts,
    pub tray: Tray,
    pub notices: Notices,
    pub wanted: Wanted,
    /// What became of the link that the app was started by; `None` while that is open.
    pub start_link: watch::Sender<Option<Result<(), ErrorView>>>,
    store: Mutex<StoreKind>,
}

impl Shell {
    /// `with_link`: a link waits for the engine.
    pub fn new(places: Places, with_link: bool) -> Self {
        // Others put files there too: a plugin that makes no folders, and the tray, which would make one that anybody may
        // enter, where no engine starts.
        for folder in [&places.state_dir, &places.runtime_dir] {
            if let Err(error) = usher_secrets::private_files::create_private_dir(folder) {
                tracing::warn!(path = %folder.display(), %error, "this folder cannot be used");
            }
        }
        let settings = Settings::load(&places.state_dir);
        let store = places.secret_store.clone().unwrap_or_else(|| settings.secret_store());
        Self {
            demo: DemoSlot::new(&places.state_dir, places.config.clone()),
            engine: EngineSlot::new(),
            links: registration::Links::default(),
            desktop: DesktopParts::new(AutostartPart::Unavailable),
            tray: Tray::new(),
            notices: Notices::default(),
            wanted: Wanted::default(),
            start_link: watch::Sender::new((!with_link).then_some(Ok(()))),
            store: Mutex::new(store),
            settings,
            places,
        }
    }

    /// Where secrets are kept in this run.
    pub fn store(&self) -> StoreKind {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows a choice that the person made in the window.
    pub fn set_store(&self, kind: StoreKind) {
        self.settings.set_secret_store(&kind);
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }
}

/// Starts what lies behind the window: the link handler, the demo where the person has it, the engine.
pub async fn start(app: &AppHandle) {
    let shell = app.state::<Shell>();
    let store = shell.store();
    let (receives_links, ()) = tokio::join!(shell.links.register(app), resume_demo(app, store.clone()));
    let Places { config, state_dir, runtime_dir, .. } = shell.places.clone();
    let options = EngineOptions {
        receives_links,
        // The app goes on by itself, and asks for a password when it is told to try again.
        asks_to_unlock: false,
        ..EngineOptions::new(config, state_dir, runtime_dir, store)
    };
    let window_of = app.clone();
    let tell_of_command = || shell.tray.show(Content::command_runs());
    match shell.engine.start(options, move || window::open(&window_of), tell_of_command).await {
        Ok(engine) => {
            keychain::follow(app, &engine);
            events::forward(app, engine);
        }
        Err(error) => {
            tracing::error!(error = error.message, "the engine did not start");
            shell.tray.show(Content::not_started());
        }
    }
}

/// Lets the demo go ahead of the engine, which then finds it at the first try. A keychain that makes it wait for its
/// key holds up nobody else.
async fn resume_demo(app: &AppHandle, store: StoreKind) {
    let app = app.clone();
    let resumed = tauri::async_runtime::spawn(async move { app.state::<Shell>().demo.resume(store).await });
    if tokio::time::timeout(HEAD_START, resumed).await.is_err() {
        tracing::warn!("the demo waits for its key");
    }
}
