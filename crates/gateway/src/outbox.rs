//! The lines that wait to be written to a client.

use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Lines that wait for a client that does not read.
const BACKLOG: usize = 64;
/// How long a client may take to read one line.
const WRITE_DEADLINE: Duration = Duration::from_secs(60);

/// Sends lines to the writer of a client.
#[derive(Clone, Debug)]
pub(crate) struct Outbox(mpsc::Sender<String>);

impl Outbox {
    pub fn new() -> (Self, mpsc::Receiver<String>) {
        let (sender, lines) = mpsc::channel(BACKLOG);
        (Self(sender), lines)
    }

    /// Sends a line. Waits while the client does not read.
    pub async fn send(&self, line: String) {
        // Fails only if the client has gone.
        let _ = self.0.send(line).await;
    }

    /// Sends a line that may be lost, unless the client is far behind.
    pub fn try_send(&self, line: String) {
        let _ = self.0.try_send(line);
    }
}

/// Writes the lines until all senders are dropped. Fails if the client does not read.
pub(crate) async fn write_lines(
    mut writer: impl AsyncWrite + Unpin,
    mut lines: mpsc::Receiver<String>,
) -> std::io::Result<()> {
    while let Some(line) = lines.recv().await {
        let written = async {
            writer.write_all(line.as_bytes()).await?;
            if lines.is_empty() { writer.flush().await } else { Ok(()) }
        };
        timeout(WRITE_DEADLINE, written).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
    }
    writer.flush().await
}
