//! The command for requests that the engine handles without the app's help.

use tauri::State;
use usher_api::{ErrorView, Reply, Request, ServerVerb};

use crate::engine_slot::EngineSlot;
use crate::error;

/// Sends a request to the engine once it is running. Rejects a request that also needs the app, or that only other
/// processes send.
#[tauri::command]
#[specta::specta]
pub async fn engine_request(engine: State<'_, EngineSlot>, request: Request) -> Result<Reply, ErrorView> {
    if !is_for_page(&request) {
        return Err(error::rejected("The page may not send this request."));
    }
    engine.get().await?.handle(request).await
}

/// Whether the page may send the request. Other requests would skip the app's part, such as opening the browser, or
/// would give the page options that only other callers have.
fn is_for_page(request: &Request) -> bool {
    match request {
        Request::Snapshot
        | Request::CompleteSignIn { .. }
        | Request::CancelCall { .. }
        | Request::AllowSecret { .. }
        | Request::DisallowSecret { .. }
        | Request::DeleteSecret { .. }
        | Request::Secrets
        | Request::Approve { .. }
        | Request::PauseAll
        | Request::ResumeAll
        | Request::CheckConfig
        | Request::Orphans
        | Request::RemoveOrphan { .. } => true,
        // The app opens the browser itself.
        Request::Server { verb, .. } => !matches!(verb, ServerVerb::BrowserOpened | ServerVerb::NextRedirect),
        // `server_add` also takes a client secret, and sets no redirect.
        Request::Add(_) => false,
        // The sign-in commands open the browser.
        Request::SignIn { .. } => false,
        // `tool_call` and `elicitation_answer` take JSON as text, because JavaScript would round large numbers.
        Request::CallTool { .. } | Request::AnswerElicitation { .. } => false,
        // `secret_store_retry` also starts the demo again.
        Request::RetrySecretStore => false,
        // Only other processes send these.
        Request::HandOverCallback { .. }
        | Request::SecretsChanged { .. }
        | Request::SecretStored { .. }
        | Request::ForgetSecretOrigins { .. }
        | Request::ShowWindow
        | Request::Yield => false,
    }
}

#[cfg(test)]
mod tests {
    use usher_api::ServerId;

    use super::*;

    #[test]
    fn requests_that_need_the_app_are_rejected() {
        let server = ServerId("notion".to_owned());
        let address = "dev.usher.desktop:/oauth/callback?code=a&state=b".to_owned();
        let sign_in = Request::SignIn {
            server: server.clone(),
            redirect: None,
            receives_links: None,
            extra_scopes: Vec::new(),
            confirmed_hosts: Vec::new(),
            on_device: false,
        };
        for request in [
            sign_in,
            Request::server(&server, ServerVerb::BrowserOpened),
            Request::server(&server, ServerVerb::NextRedirect),
            Request::HandOverCallback { address: address.clone() },
            Request::SecretsChanged { name: None },
            Request::SecretStored { name: "key".to_owned(), address: None },
            Request::ForgetSecretOrigins { secret: "key".to_owned() },
            Request::RetrySecretStore,
            Request::ShowWindow,
            Request::Yield,
        ] {
            assert!(!is_for_page(&request), "{request:?}");
        }
        for request in [
            Request::Snapshot,
            Request::CompleteSignIn { address },
            Request::server(&server, ServerVerb::Connect),
            Request::server(&server, ServerVerb::SignOut),
        ] {
            assert!(is_for_page(&request), "{request:?}");
        }
    }
}
