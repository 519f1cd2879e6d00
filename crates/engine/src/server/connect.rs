//! A connection from the first request to the listed tools.

use std::sync::Arc;

use rmcp::model::Tool;
use tokio::sync::Notify;
use usher_oauth::Grant;

use crate::client::{Client, ProgressRoutes};
use crate::connection::Connection;
use crate::fault::Fault;
use crate::server::Message;
use crate::site::Place;

/// A connection that works: its tools were listed over it.
pub(crate) struct Opened {
    pub connection: Arc<Connection>,
    pub tools: Arc<Vec<Tool>>,
}

/// Connects within the deadline. Without a sign-in this is the probe that brings the challenge.
pub(super) async fn connect(place: &Place) -> Result<Opened, Fault> {
    let patience = place.shared.options.connect_timeout;
    match tokio::time::timeout(patience, open(place)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::TimedOut(patience.as_secs())),
    }
}

/// Keeps a new sign-in, then connects with it.
pub(super) async fn connect_with(place: &Place, grant: Grant) -> Result<Opened, Fault> {
    let site = place.site().await?;
    let issuer = grant.binding.issuer.clone();
    if !grant.binding.sends_resource
        && let Some(mut discovered) = place.shared.kept.discovered(&site.url)
    {
        discovered.sends_resource = false;
        place.shared.kept.amend_discovered(&site.url, discovered);
    }
    tracing::info!(server = %place.id, %issuer, "signed in");
    match &site.credentials {
        Some(credentials) => credentials.put(grant).await?,
        None => return Err(Fault::Protocol("a sign-in came for a server that needs none".to_owned())),
    }
    connect(place).await
}

async fn open(place: &Place) -> Result<Opened, Fault> {
    let site = place.site().await?;
    let tools_changed = Arc::new(Notify::new());
    let client = Client {
        server: place.id.clone(),
        elicitations: Arc::clone(&place.shared.elicitations),
        progress: ProgressRoutes::default(),
        tools_changed: Arc::clone(&tools_changed),
    };
    let connection = Connection::open(site.transport()?, site.url.as_str().into(), client).await?;
    let connection = Arc::new(connection);
    let tools = connection.list_tools().await?;
    watch(place, &connection, tools_changed);
    Ok(Opened { connection, tools })
}

/// Tells the task when the connection ends or the server's tools change. Holds the connection only by its word.
fn watch(place: &Place, connection: &Arc<Connection>, tools_changed: Arc<Notify>) {
    let inbox = place.inbox.clone();
    let ended = connection.end();
    let connection = Arc::downgrade(connection);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = ended.cancelled() => break,
                () = tools_changed.notified() => {}
            }
            let Some(connection) = connection.upgrade() else { return };
            if connection.list_tools().await.is_ok() {
                let _ = inbox.send(Message::Listed { connection });
            }
        }
        if let Some(connection) = connection.upgrade() {
            let _ = inbox.send(Message::Ended { connection });
        }
    });
}
