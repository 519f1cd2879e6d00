//! The messages of a local program: one JSON-RPC message per line (MCP, transport stdio).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use usher_budgets as budgets;

use super::discovery::Discovery;
use super::fault::Fault;
use super::inbound::Inbound;
use super::message_reader::MessageReader;
use crate::program::process::{Process, ProcessEnd};

/// The time for reading what a program wrote before its end.
const LEFTOVER_TIME: Duration = Duration::from_millis(500);
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;
/// The time that a program has to exit after its streams were closed.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Lines that wait for the reader of the messages.
const BACKLOG: usize = 16;

/// A line of the output.
enum Line {
    Complete(Bytes),
    /// The line was longer than the limit.
    TooLong,
}

/// The next event of a channel.
enum Next {
    Line(Line),
    DiscoveryTimedOut,
    End,
}

/// The channel to a running program. Dropping it ends the program.
pub(crate) struct StdioChannel {
    /// `None` once it is closed.
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    /// Ends a write that waits for the program.
    closing: CancellationToken,
    lines: mpsc::Receiver<Line>,
    end: watch::Receiver<Option<ProcessEnd>>,
    reader: MessageReader,
    _stop: DropGuard,
}

impl StdioChannel {
    pub fn new(process: Process, inbound: Inbound) -> Self {
        let Process { stdin, stdout, stop, end } = process;
        let (sender, lines) = mpsc::channel(BACKLOG);
        let mut ended = end.clone();
        tokio::spawn(async move {
            let after_end = async {
                let _ = ended.wait_for(Option::is_some).await;
                tokio::time::sleep(LEFTOVER_TIME).await;
            };
            tokio::select! {
                () = read_lines(stdout, sender) => {}
                // A process that left the group keeps the output open.
                () = after_end => {}
            }
        });
        Self {
            stdin: Arc::new(Mutex::new(Some(stdin))),
            closing: CancellationToken::new(),
            lines,
            reader: MessageReader::new(inbound),
            end,
            _stop: stop,
        }
    }

    pub fn discovery(&self) -> Discovery {
        self.reader.discovery.clone()
    }

    /// Waits for the next line, or for the deadline of `server/discover`.
    async fn next(&mut self) -> Next {
        tokio::select! {
            line = self.lines.recv() => line.map_or(Next::End, Next::Line),
            () = self.reader.discovery.expired() => Next::DiscoveryTimedOut,
        }
    }

    async fn close_stdin(&mut self) {
        self.closing.cancel();
        *self.stdin.lock().await = None;
    }
}

impl Transport<RoleClient> for StdioChannel {
    type Error = Fault;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Fault>> + Send + 'static {
        let answered = self.reader.note_sent(&message);
        let (stdin, inbound, mut end) =
            (Arc::clone(&self.stdin), self.reader.inbound.clone(), self.end.clone());
        let closing = self.closing.clone();
        async move {
            let _answered = answered;
            let mut line =
                serde_json::to_vec(&message).map_err(|error| Fault::Protocol(error.to_string()))?;
            line.push(b'\n');
            let write = async {
                let mut stdin = stdin.lock().await;
                // The input is closed if the line is not written completely. Its rest would spoil the next message.
                let Some(mut pipe) = stdin.take() else {
                    return Err(io::Error::from(io::ErrorKind::BrokenPipe));
                };
                pipe.write_all(&line).await?;
                pipe.flush().await?;
                *stdin = Some(pipe);
                Ok(())
            };
            let write = tokio::time::timeout(budgets::RESPONSE_TIMEOUT, write);
            let written = closing.run_until_cancelled(write).await;
            match written.unwrap_or(Ok(Err(io::ErrorKind::BrokenPipe.into()))) {
                Ok(Ok(())) => Ok(()),
                // Most likely the program has ended, or is about to.
                Ok(Err(_)) => Err(end_of(&mut end, &inbound).await.unwrap_or(Fault::Lost)),
                // The program reads nothing.
                Err(_) => Err(Fault::TimedOut(budgets::RESPONSE_TIMEOUT.as_secs())),
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let next = match self.reader.interrupted() {
                Some(line) => Next::Line(Line::Complete(line)),
                None => self.next().await,
            };
            let line = match next {
                Next::Line(Line::Complete(line)) => line,
                Next::Line(Line::TooLong) => {
                    self.reader.inbound.line_too_long();
                    return None;
                }
                Next::DiscoveryTimedOut => match self.reader.time_out() {
                    Some(message) => return Some(message),
                    None => continue,
                },
                Next::End => {
                    // A program that closed its output cannot be used any more.
                    self.close_stdin().await;
                    end_of(&mut self.end, &self.reader.inbound).await;
                    return None;
                }
            };
            match self.reader.read(line).await {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(_) => return None,
            }
        }
    }

    async fn close(&mut self) -> Result<(), Fault> {
        self.close_stdin().await;
        Ok(())
    }
}

/// Waits for the end of a program whose streams were closed. Returns `None` if it keeps running.
async fn end_of(end: &mut watch::Receiver<Option<ProcessEnd>>, inbound: &Inbound) -> Option<Fault> {
    let ended = tokio::time::timeout(END_TIMEOUT, end.wait_for(Option::is_some)).await;
    let end = ended.ok()?.ok()?.clone()?;
    inbound.exited(end.clone());
    Some(Fault::Exited(Box::new(end)))
}

/// Reads lines until the end of the output. After the receiver is dropped, it continues to read, because a program that
/// cannot write does not notice the end of its input.
async fn read_lines(mut stdout: impl AsyncRead + Unpin, lines: mpsc::Sender<Line>) {
    let mut buffer = BytesMut::new();
    let (mut searched, mut is_too_long) = (0, false);
    loop {
        buffer.reserve(CHUNK);
        match stdout.read_buf(&mut buffer).await {
            // The rest is an incomplete line, which is dropped.
            Ok(0) | Err(_) => return,
            Ok(_) if lines.is_closed() => {
                buffer.clear();
                searched = 0;
                continue;
            }
            Ok(_) => {}
        }
        while let Some(length) = buffer[searched..].iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(searched + length + 1).freeze();
            searched = 0;
            let line = trimmed(line);
            // The end of a line that was too long is not a line.
            if !std::mem::take(&mut is_too_long) && !line.is_empty() {
                // Fails if the connection was closed.
                let _ = lines.send(Line::Complete(line)).await;
            }
        }
        searched = buffer.len();
        if searched > budgets::MESSAGE_BYTES {
            buffer.clear();
            searched = 0;
            if !std::mem::replace(&mut is_too_long, true) {
                let _ = lines.send(Line::TooLong).await;
            }
        }
    }
}

fn trimmed(line: Bytes) -> Bytes {
    line.slice_ref(line.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines_of(text: &[u8]) -> Vec<Option<String>> {
        let (sender, mut lines) = mpsc::channel(BACKLOG);
        let text = text.to_vec();
        tokio::spawn(async move { read_lines(text.as_slice(), sender).await });
        let mut read = Vec::new();
        while let Some(line) = lines.recv().await {
            read.push(match line {
                Line::Complete(line) => Some(String::from_utf8_lossy(&line).into_owned()),
                Line::TooLong => None,
            });
        }
        read
    }

    #[tokio::test]
    async fn lines_are_split_and_an_unfinished_one_is_dropped() {
        let lines = lines_of(b"{\"a\":1}\r\n\n  \n{\"b\":2}\nunfinished").await;
        assert_eq!(lines, [Some("{\"a\":1}".to_owned()), Some("{\"b\":2}".to_owned())]);
    }

    #[tokio::test]
    async fn a_line_above_the_limit_is_reported_and_the_next_line_is_read() {
        let mut text = vec![b'x'; 3 * budgets::MESSAGE_BYTES];
        text.extend(b"\n{}\n");
        assert_eq!(lines_of(&text).await, [None, Some("{}".to_owned())]);
    }
}
