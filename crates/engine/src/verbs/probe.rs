//! The method that asks what answers at the address of an entry, before the entry is written.

use std::sync::Arc;
use std::time::Duration;

use usher_api::{ErrorView, ProbeView, ServerId};
use usher_config::{OAuthSettings, Transport, display_text};
use usher_oauth::{Challenge, DiscoveryRequest, MetadataSource, discover};

use crate::connection::fault::Fault;
use crate::endpoint::http::{HttpEndpoint, Resolution};
use crate::engine::Engine;
use crate::words::connection::{ServerLabel, describe_fault};

/// How long a person waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of the connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The number of characters of a title.
const LONGEST_TITLE: usize = 60;

impl Engine {
    /// Asks the server of an entry's text which sign-in it requires, or which tools it has. Sends no header of the entry
    /// and no token, and stores nothing. A program is not started.
    pub async fn probe(&self, text: &str) -> Result<ProbeView, ErrorView> {
        let Some(server) = self.draft_alone(text).await else { return Ok(ProbeView::NotTried) };
        let (Transport::Http { url, headers } | Transport::Sse { url, headers }) = &server.transport else {
            return Ok(ProbeView::NotTried);
        };
        let context = Arc::clone(&self.run.context);
        if !headers.is_empty() || !context.placeholders.uses(&server).is_empty() {
            return Ok(ProbeView::NotTried);
        }
        let endpoint = HttpEndpoint {
            id: ServerId(server.name.clone()),
            url: url.clone(),
            is_sse: matches!(server.transport, Transport::Sse { .. }),
            headers: Vec::new(),
            // Without credentials, so that no stored token is read.
            oauth: OAuthSettings { off: true, ..server.oauth },
            uses: Vec::new(),
            context,
            persisted: Arc::default(),
            on_grant_change: Arc::new(|| {}),
            resolution: Resolution::default(),
            learns: false,
        };
        let outcome = tokio::time::timeout(TIMEOUT, ask(&endpoint)).await;
        Ok(outcome.unwrap_or_else(|_| failed(&endpoint, &Fault::TimedOut(TIMEOUT.as_secs()))))
    }
}

async fn ask(endpoint: &HttpEndpoint) -> ProbeView {
    match endpoint.connect(Arc::new(|_, _| {})).await {
        Ok(opened) => {
            let title = opened.connection.title().map(|title| display_text(&title, LONGEST_TITLE));
            let tools = u32::try_from(opened.tools.len()).unwrap_or(u32::MAX);
            opened.connection.close(CLOSE_TIMEOUT).await;
            ProbeView::Open { title, tools }
        }
        Err(Fault::Unauthorized { challenge, .. }) => ask_for_sign_in(endpoint, challenge.as_deref()).await,
        Err(Fault::InsufficientScope { challenge }) => ask_for_sign_in(endpoint, Some(&challenge)).await,
        Err(fault) => failed(endpoint, &fault),
    }
}

/// Looks for the metadata of an authorization server.
async fn ask_for_sign_in(endpoint: &HttpEndpoint, challenge: Option<&Challenge>) -> ProbeView {
    let Some(resolved) = endpoint.resolved() else { return ProbeView::Unauthorized };
    let request =
        DiscoveryRequest { server: &resolved.url, challenge, settings: &resolved.settings, has_grant: false };
    match discover(&resolved.http, request).await {
        // The default endpoints are only a guess.
        Ok(found) if found.source != MetadataSource::DefaultEndpoints => ProbeView::SignIn,
        Ok(_) | Err(_) => ProbeView::Unauthorized,
    }
}

fn failed(endpoint: &HttpEndpoint, fault: &Fault) -> ProbeView {
    let host = endpoint.url.host_str().unwrap_or_default().to_owned();
    let label = ServerLabel { name: host.clone(), host: Some(host) };
    ProbeView::Failed { error: describe_fault(fault, &label) }
}
