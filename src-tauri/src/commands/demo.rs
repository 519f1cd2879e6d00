//! "Try the demo".

use tauri::State;
use usher_api::{Code, ErrorView, NewServer, ServerId, Status};
use usher_engine::SignInOptions;

use crate::commands::sign_in;
use crate::demo::DemoSlot;
use crate::error;
use crate::shell::Shell;

/// Starts the demo service inside the app, adds it, and begins its sign-in in the browser. What goes wrong with the
/// sign-in stands in the server's view.
#[tauri::command]
#[specta::specta]
pub async fn demo_add(shell: State<'_, Shell>) -> Result<ServerId, ErrorView> {
    let engine = shell.engine.get().await?;
    let url = match shell.demo.start(shell.store()).await {
        Ok(url) => url,
        Err(error) => {
            // The demo's key lies in the secret store. If that is the matter, the engine is to see and show it too.
            if matches!(error.code, Code::KeychainUnavailable | Code::KeychainLocked) {
                let _ = engine.retry_secret_store().await;
            }
            return Err(error);
        }
    };
    let id = DemoSlot::id();
    match engine.server(&id) {
        None => {
            let server = NewServer { name: Some(id.0.clone()), url: url.into(), ..NewServer::default() };
            engine.add(server, None).await?;
        }
        Some(view) if view.address != url.as_str() => {
            return Err(error::refused(format!("There already is another server named {id}.")));
        }
        Some(view) if matches!(view.status, Status::Connected { .. }) => return Ok(id),
        Some(_) => {}
    }
    if let Err(error) = sign_in::begin(&engine, &id, SignInOptions::default()).await {
        tracing::warn!(code = ?error.code, "the demo's sign-in did not begin");
    }
    Ok(id)
}
