//! Watches a connection and reports its faults, its changed lists and its end.

use std::sync::Arc;

use tokio::sync::mpsc;
use usher_budgets as budgets;
use usher_oauth::Challenge;

use super::Connection;
use super::fault::Fault;
use super::list_changes::{List, ListChanges};

/// An observation about a connection.
pub(crate) enum Report {
    /// A request or a stream failed.
    Failed(Arc<Fault>),
    /// A request was refused because it had no token. The connection itself works without one.
    SignInRequired(Option<Box<Challenge>>),
    /// The tools were listed.
    ToolsListed,
    /// The server reported a change of a list other than the tools.
    ListChanged(List),
    /// A tool's result rejected the sign-in, although the server itself accepts it.
    RefusedInResult,
    /// A later result accepted the sign-in.
    AcceptedInResult,
    /// The connection ended.
    Ended,
}

/// The function that receives the reports of a server's connections.
pub(crate) type Reports = Arc<dyn Fn(Arc<Connection>, Report) + Send + Sync>;

/// Starts watching. Only a weak reference to the connection is kept.
pub(crate) fn watch(
    connection: &Arc<Connection>,
    changes: Arc<ListChanges>,
    mut faults: mpsc::UnboundedReceiver<Fault>,
    reports: Reports,
) {
    let closed = connection.closed();
    connection.subscribe(Arc::clone(&changes));
    let connection = Arc::downgrade(connection);
    tokio::spawn(async move {
        loop {
            let fault = tokio::select! {
                () = closed.cancelled() => break,
                Some(fault) = faults.recv() => Some(fault),
                () = changes.wait_for_change() => None,
            };
            if let Some(fault) = fault {
                let Some(connection) = connection.upgrade() else { return };
                reports(connection, Report::Failed(Arc::new(fault)));
                continue;
            }
            tokio::time::sleep(budgets::LISTING_DELAY).await;
            for list in changes.take() {
                let Some(connection) = connection.upgrade() else { return };
                let report = match list {
                    List::Tools => match connection.list_tools().await {
                        Ok(_) => Report::ToolsListed,
                        Err(fault) => Report::Failed(Arc::new(fault)),
                    },
                    List::Resources | List::Prompts => Report::ListChanged(list),
                };
                reports(connection, report);
            }
        }
        if let Some(connection) = connection.upgrade() {
            reports(connection, Report::Ended);
        }
    });
}
