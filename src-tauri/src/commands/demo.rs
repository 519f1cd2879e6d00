//! The command of the button "Try the demo".

use tauri::State;
use usher_api::{Code, ErrorView, NewServer, ServerId, Status};
use usher_engine::SignInOptions;

use crate::demo::DemoSlot;
use crate::engine_slot::EngineSlot;
use crate::settings::Settings;
use crate::{error, sign_in};

/// Starts the demo service inside the app, adds it, and starts its sign-in in the browser. If the sign-in fails, the
/// server's view contains the error.
#[tauri::command]
#[specta::specta]
pub async fn demo_add(
    engine: State<'_, EngineSlot>,
    demo: State<'_, DemoSlot>,
    settings: State<'_, Settings>,
) -> Result<ServerId, ErrorView> {
    let engine = engine.get().await?;
    let url = match demo.start(settings.secret_store()).await {
        Ok(url) => url,
        Err(error) => {
            // The demo's key is in the secret store. If the store failed, the engine must also notice and show the
            // failure.
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
        // The new entry replaces the example.
        Some(view) if view.is_example => {
            let server = NewServer { name: Some(id.0.clone()), url: url.into(), ..NewServer::default() };
            engine.add(server, None).await?;
        }
        Some(view) if view.address != url.as_str() => {
            return Err(error::rejected(format!("Another service is already named {id}.")));
        }
        Some(view) if matches!(view.status, Status::Connected { .. }) => return Ok(id),
        Some(_) => {}
    }
    if let Err(error) = sign_in::start(&engine, &id, SignInOptions::default()).await {
        tracing::warn!(code = ?error.code, "the demo's sign-in did not start");
    }
    Ok(id)
}
