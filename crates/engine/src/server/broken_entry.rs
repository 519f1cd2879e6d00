//! The view of an entry of `mcp.json` with an error. There is no task for it, because nothing of it is used.

use usher_api::{AuthView, EntryErrorView, ServerId, ServerView, Status, TransportKind};
use usher_config::{BrokenServer, catalogue_by_url, display_text};

use super::names::display_name;
use super::view::LONGEST_ADDRESS;
use crate::words::config::entry_error;

/// Returns the view. Its status is *Failed* with the code `config_invalid`.
pub(crate) fn view(entry: &BrokenServer) -> ServerView {
    let url = entry.url.as_ref();
    let name = display_name(&entry.name, entry.title.as_deref(), url);
    let error = entry_error(entry, &name);
    ServerView {
        id: ServerId(entry.name.clone()),
        name,
        description: None,
        icon: None,
        title: None,
        catalogue: url.and_then(catalogue_by_url).map(|service| service.slug.clone()),
        address: url.map(|url| display_text(url.as_str(), LONGEST_ADDRESS)).unwrap_or_default(),
        transport: if entry.is_program { TransportKind::Stdio } else { TransportKind::Http },
        status: Status::Failed { error: error.clone() },
        auth: AuthView::Unknown,
        permission: None,
        endpoints_to_confirm: None,
        offers_device: false,
        last_error: Some(error),
        wants: None,
        secret_requests: Vec::new(),
        program: None,
        questions_blocked: false,
        is_example: false,
        entry_error: entry
            .errors
            .first()
            .map(|error| EntryErrorView { line: error.line, column: error.column }),
    }
}
