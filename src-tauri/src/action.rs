//! The actions that a click in the tray or on a notification starts. Because the person clicked, an action may open the
//! browser.

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager};
use usher_api::{ElicitationAnswer, ErrorView, ServerId};
use usher_engine::SignInOptions;

use crate::engine_slot::EngineSlot;
use crate::events::Closing;
use crate::window::page_request::PageRequest;
use crate::{secret_store, sign_in, window};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Starts a sign-in and opens its page in the browser.
    SignIn(ServerId),
    /// Opens the page of a waiting sign-in again.
    OpenPageAgain(ServerId),
    /// Connects now instead of waiting for the next attempt.
    Connect(ServerId),
    /// Tries the secret store again. The system may ask for the keychain's password.
    RetrySecretStore,
    PauseAll,
    ResumeAll,
    /// Opens the window.
    Open,
    /// Opens the window at the service's page.
    OpenServer(ServerId),
    /// Opens the window at the service's question with this id.
    AnswerQuestion(ServerId, String),
    DeclineQuestion(String),
    Quit,
}

impl Action {
    /// Returns the page of the action's service.
    fn page(&self) -> Option<PageRequest> {
        match self {
            Self::SignIn(id) | Self::OpenPageAgain(id) | Self::Connect(id) | Self::OpenServer(id) => {
                Some(PageRequest::new(id))
            }
            Self::AnswerQuestion(id, question) => {
                Some(PageRequest { question: Some(question.clone()), ..PageRequest::new(id) })
            }
            Self::RetrySecretStore
            | Self::PauseAll
            | Self::ResumeAll
            | Self::Open
            | Self::DeclineQuestion(_)
            | Self::Quit => None,
        }
    }
}

/// Performs an action. If the action fails, the window opens and shows the error.
pub fn perform(app: &AppHandle, action: Action) {
    match action {
        Action::Open | Action::OpenServer(_) | Action::AnswerQuestion(..) => {
            window::open_at(app, action.page());
        }
        Action::Quit if window::may_end(app, Closing::App) => app.exit(0),
        // The page asks the person.
        Action::Quit => window::raise(app),
        action => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Err(error) = perform_in_engine(&app, &action).await {
                    tracing::warn!(code = ?error.code, "a click in the tray or on a notification failed");
                    let page = action.page().map(|page| with_error(page, error, &app));
                    window::open_at(&app, page);
                }
            });
        }
    }
}

/// Adds the error to the page, unless the page already shows it as the service's last error.
fn with_error(page: PageRequest, error: ErrorView, app: &AppHandle) -> PageRequest {
    let servers = app.state::<EngineSlot>().running().map(|engine| engine.snapshot().servers);
    let server = servers.iter().flatten().find(|server| server.id == page.server);
    let is_shown = server.and_then(|server| server.last_error.as_ref()).is_some_and(|last| *last == error);
    PageRequest { error: (!is_shown).then_some(error), ..page }
}

async fn perform_in_engine(app: &AppHandle, action: &Action) -> Result<(), ErrorView> {
    let engine = app.state::<EngineSlot>().get().await?;
    match action {
        Action::SignIn(id) => {
            if sign_in::start(&engine, id, SignInOptions::default()).await? {
                window::open_at(app, action.page());
            }
            Ok(())
        }
        Action::OpenPageAgain(id) => sign_in::open_again(&engine, id).await,
        Action::Connect(id) => engine.connect(id).await,
        Action::RetrySecretStore => secret_store::retry(app).await,
        Action::PauseAll => {
            engine.pause_all().await;
            Ok(())
        }
        Action::ResumeAll => {
            engine.resume_all().await;
            Ok(())
        }
        Action::DeclineQuestion(question) => {
            // An error means that the question is no longer open, so there is nothing left to decline.
            let declined = engine.answer_elicitation(question, ElicitationAnswer::Decline).await;
            tracing::info!(was_open = declined.is_ok(), "declined a question");
            Ok(())
        }
        Action::Open | Action::OpenServer(_) | Action::AnswerQuestion(..) | Action::Quit => Ok(()),
    }
}
