//! A slow task that reports progress and can be cancelled.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ProgressNotificationParam;
use rmcp::service::{RequestContext, RoleServer};

const STEP_NAMES: [&str; 5] = [
    "Sharpening the pencils",
    "Counting the pages",
    "Turning the handle",
    "Waiting for the ink to dry",
    "Checking the sum backwards",
];

/// Runs `steps` steps. Each takes `pause`. The number of clones of `running` is the number of running tasks.
pub(super) async fn run(
    context: &RequestContext<RoleServer>,
    running: &Arc<()>,
    steps: u32,
    pause: Duration,
) -> Result<String, String> {
    let _running = Arc::clone(running);
    let token = context.meta.get_progress_token();
    for (step, name) in (1..=steps).zip(STEP_NAMES.into_iter().cycle()) {
        tokio::select! {
            () = context.ct.cancelled() => {
                return Err(format!("Stopped after {} of {steps} steps.", step - 1));
            }
            () = tokio::time::sleep(pause) => {}
        }
        if let Some(token) = &token {
            let progress = ProgressNotificationParam::new(token.clone(), f64::from(step))
                .with_total(f64::from(steps))
                .with_message(name);
            if let Err(error) = context.peer.notify_progress(progress).await {
                tracing::debug!(%error, "could not report the progress");
            }
        }
    }
    Ok(format!("Done: {steps} steps."))
}
