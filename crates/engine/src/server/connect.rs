//! A connection from the first request to the listed tools.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use rmcp::model::Tool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use usher_oauth::AuthorizationCode;

use crate::connection::Connection;
use crate::connection::changes::{Changes, List};
use crate::connection::client::Client;
use crate::connection::fault::Fault;
use crate::connection::lifeline::Lifeline;
use crate::connection::requests::Requests;
use crate::server::Message;
use crate::server::sign_out::revoke;
use crate::server::site::Place;

/// How long a connection may take to show that it lives; a new one is made in less.
const REVIVAL: Duration = Duration::from_secs(10);
/// Between a server's word that its tools changed and the next listing.
const LISTING_PAUSE: Duration = Duration::from_secs(1);

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

/// Exchanges the code and keeps what it brings, as one piece of work: a code is good once.
pub(super) async fn exchange(
    place: &Place,
    code: AuthorizationCode,
    given_up: &CancellationToken,
) -> Result<(), Fault> {
    let site = place.site().await?;
    let now = place.shared.options.clock.now();
    let grant = usher_oauth::exchange(&site.http, code, now).boxed().await.map_err(Fault::Exchange)?;
    if !grant.binding.sends_resource
        && let Some(mut discovered) = place.shared.kept.discovered(&site.url)
    {
        discovered.sends_resource = false;
        place.shared.kept.amend_discovered(&site.url, discovered);
    }
    let Some(credentials) = &site.credentials else {
        return Err(Fault::Protocol("a sign-in came for a server that needs none".to_owned()));
    };
    match credentials.put(grant, || !given_up.is_cancelled()).await? {
        None => {
            tracing::info!(server = %place.id, "signed in");
            Ok(())
        }
        Some(unwanted) => {
            revoke(place, &site, unwanted).await;
            Err(Fault::Cancelled)
        }
    }
}

/// Goes on over a connection that is there, after a new sign-in. Only a list that the server gives now proves it.
/// Where the connection itself is of no use any more a new one takes its place.
pub(super) async fn revive(place: &Place, connection: Arc<Connection>) -> Result<Opened, Fault> {
    match tokio::time::timeout(REVIVAL, connection.prove()).await {
        Ok(Ok(tools)) => Ok(Opened { connection, tools }),
        Ok(Err(
            fault @ (Fault::Unauthorized { .. } | Fault::InsufficientScope { .. } | Fault::Credentials(_)),
        )) => Err(fault),
        Ok(Err(_)) | Err(_) => connect(place).await,
    }
}

async fn open(place: &Place) -> Result<Opened, Fault> {
    let site = place.site().await?;
    let changes = Arc::new(Changes::default());
    let (lifeline, faults) = Lifeline::new();
    let client = Client {
        server: place.id.clone(),
        elicitations: Arc::clone(&place.shared.elicitations),
        requests: Requests::default(),
        changes: Arc::clone(&changes),
    };
    let transport = site.transport(lifeline.clone())?;
    let connection = Connection::open(transport, site.url.as_str().into(), client, lifeline).await?;
    let connection = Arc::new(connection);
    let tools = connection.list_tools().await?;
    watch(place, &connection, changes, faults);
    Ok(Opened { connection, tools })
}

/// Tells the task when the connection ends, when its streams break off and when the server's lists change. Holds the
/// connection only by its word.
fn watch(
    place: &Place,
    connection: &Arc<Connection>,
    changes: Arc<Changes>,
    mut faults: mpsc::UnboundedReceiver<Fault>,
) {
    let inbox = place.inbox.clone();
    let ended = connection.end();
    connection.listen(Arc::clone(&changes));
    let connection = Arc::downgrade(connection);
    tokio::spawn(async move {
        loop {
            let fault = tokio::select! {
                () = ended.cancelled() => break,
                Some(fault) = faults.recv() => Some(fault),
                () = changes.noted() => None,
            };
            if let Some(fault) = fault {
                let Some(connection) = connection.upgrade() else { return };
                let _ = inbox.send(Message::Failed { connection, fault: Arc::new(fault) });
                continue;
            }
            // What changes often is listed once for many changes.
            tokio::time::sleep(LISTING_PAUSE).await;
            for list in changes.take() {
                let Some(connection) = connection.upgrade() else { return };
                if list == List::Tools {
                    let message = match connection.list_tools().await {
                        Ok(_) => Message::Listed { connection },
                        Err(fault) => Message::Failed { connection, fault: Arc::new(fault) },
                    };
                    let _ = inbox.send(message);
                } else {
                    let _ = inbox.send(Message::ListChanged { connection, list });
                }
            }
        }
        if let Some(connection) = connection.upgrade() {
            let _ = inbox.send(Message::Ended { connection });
        }
    });
}
