//! Which path is answered by whom, and what holds for all of them.

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::service::Service;

pub(crate) fn router(service: Arc<Service>, _ending: CancellationToken) -> Router {
    let _ = (service.clock.now(), &service.options, service.token_faults.take());
    Router::new()
}
