//! The tool that stands in for the tools of a service that was never signed in to. Without any tool, many clients would
//! drop the server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use usher_api::{ServerId, ServerView, Status};
use usher_engine::Engine;

use crate::definition_files::Items;
use crate::words;

/// The name of the tool. A service's own tool of this name is not known while this tool is shown.
pub(crate) const NAME: &str = "usher_sign_in";
/// How long a call waits for the person. Clients give up after 60 seconds.
const DEADLINE: Duration = Duration::from_secs(40);

/// Returns the list with this tool, if the server needs a sign-in.
pub(crate) fn stand_in(engine: &Engine, server: &ServerId) -> Option<Items> {
    let view = engine.server(server).filter(needs_sign_in)?;
    let tool = json!({
        "name": NAME,
        "title": format!("Sign in to {}", view.name),
        "description": words::sign_in_tool(&view),
        "inputSchema": { "type": "object", "properties": {} },
        "annotations": { "readOnlyHint": true },
    });
    Some(Arc::new(vec![Bytes::from(tool.to_string())]))
}

/// Waits a while for the person to sign in. Returns the result of the call. Opens no browser, because a model, not a
/// person, makes the call.
pub(crate) async fn call(engine: &Engine, server: &ServerId) -> Value {
    let deadline = Instant::now() + DEADLINE;
    let mut events = engine.subscribe();
    while let Some(view) = engine.server(server) {
        if matches!(view.status, Status::Connected { .. }) {
            return result(&words::signed_in(&view), false);
        }
        match timeout_at(deadline, events.recv()).await {
            // An event may have been lost, so the view is read in any case.
            Ok(Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_))) => {}
            Ok(Err(tokio::sync::broadcast::error::RecvError::Closed)) | Err(_) => break,
        }
    }
    let text = engine
        .server(server)
        .map_or_else(|| words::unknown_target(server).message, |view| words::sign_in_needed(&view));
    result(&text, true)
}

/// Returns the result of a tool with this text.
pub(crate) fn result(text: &str, is_error: bool) -> Value {
    let mut result = json!({ "content": [{ "type": "text", "text": text }] });
    if is_error {
        result["isError"] = true.into();
    }
    result
}

fn needs_sign_in(view: &ServerView) -> bool {
    matches!(view.status, Status::NeedsSignIn { .. } | Status::SigningIn { .. })
}
