//! What a click in the tray or on a notification does. The click is a person's, so it may open the browser.

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager};
use usher_api::{ErrorView, ServerId};
use usher_engine::{Engine, SignInOptions};

use crate::commands::{secret_store, sign_in};
use crate::shell::Shell;
use crate::wanted::WantedPage;
use crate::window;

/// What was clicked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Straight to the service's page in the browser.
    SignIn(ServerId),
    /// The same page once more.
    OpenPageAgain(ServerId),
    /// Now, instead of at the next try.
    Connect(ServerId),
    /// Asks the secret store again; the system may ask for the keychain's password.
    RetrySecretStore,
    PauseAll,
    ResumeAll,
    /// The window.
    Open,
    /// The window, at the service's page.
    OpenServer(ServerId),
    Quit,
}

impl Action {
    /// The page of the service that it is about.
    fn page(&self) -> Option<WantedPage> {
        match self {
            Self::SignIn(id) | Self::OpenPageAgain(id) | Self::Connect(id) | Self::OpenServer(id) => {
                Some(WantedPage { server: id.clone(), error: None })
            }
            Self::RetrySecretStore | Self::PauseAll | Self::ResumeAll | Self::Open | Self::Quit => None,
        }
    }
}

/// Does it. Where it fails, the window opens and says why: nothing else can.
pub fn perform(app: &AppHandle, action: Action) {
    match action {
        Action::Open | Action::OpenServer(_) => window::open_at(app, action.page()),
        Action::Quit => app.exit(0),
        asks_engine => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Err(error) = ask_engine(&app, &asks_engine).await {
                    tracing::warn!(code = ?error.code, "a click in the tray or on a notification failed");
                    let page = asks_engine.page().map(|page| with_reason(page, error, &app));
                    window::open_at(&app, page);
                }
            });
        }
    }
}

/// A page says by itself what its service's last error was.
fn with_reason(page: WantedPage, error: ErrorView, app: &AppHandle) -> WantedPage {
    let servers = app.state::<Shell>().engine.running().map(|engine| engine.snapshot().servers);
    let server = servers.iter().flatten().find(|server| server.id == page.server);
    let is_said = server.and_then(|server| server.last_error.as_ref()).is_some_and(|last| *last == error);
    WantedPage { error: (!is_said).then_some(error), ..page }
}

async fn ask_engine(app: &AppHandle, action: &Action) -> Result<(), ErrorView> {
    let engine: Engine = app.state::<Shell>().engine.get().await?;
    match action {
        Action::SignIn(id) => sign_in::begin(&engine, id, SignInOptions::default()).await,
        Action::OpenPageAgain(id) => sign_in::open_again(&engine, id).await,
        Action::Connect(id) => engine.connect(id).await,
        Action::RetrySecretStore => secret_store::retry(&app.state::<Shell>()).await,
        Action::PauseAll => {
            engine.pause_all().await;
            Ok(())
        }
        Action::ResumeAll => {
            engine.resume_all().await;
            Ok(())
        }
        Action::Open | Action::OpenServer(_) | Action::Quit => Ok(()),
    }
}
