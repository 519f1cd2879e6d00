//! A connection whose next response can break off after any byte: closed, reset, or held open.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::lock::lock;

/// The fault of the next response. A handler gets it as `ConnectInfo`.
#[derive(Clone)]
pub(crate) struct Wire {
    instruction: Arc<Mutex<Instruction>>,
    /// The start of the connection.
    pub connected: Instant,
}

#[derive(Default)]
enum Instruction {
    #[default]
    Pass,
    /// Sends this many bytes, then ends the response.
    Break { after: usize, end: End },
    /// Runs the action when the response is flushed.
    Run { action: Action, written: bool },
}

/// The action of a breakpoint, run on a thread of the server.
pub type Action = Box<dyn FnOnce() + Send>;

/// The end of a response that breaks off.
pub(crate) enum End {
    Close,
    Reset,
    /// The connection stays open without more bytes; the action runs.
    Hold(Option<Action>),
}

impl Default for Wire {
    fn default() -> Wire {
        Wire { instruction: Arc::default(), connected: Instant::now() }
    }
}

impl Wire {
    pub fn break_off(&self, after: usize, end: End) {
        *lock(&self.instruction) = Instruction::Break { after, end };
    }

    /// Runs `action` when the operating system has accepted the whole response.
    pub fn run_when_sent(&self, action: Action) {
        *lock(&self.instruction) = Instruction::Run { action, written: false };
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// A listener that adds a [`Wire`] to each connection.
pub(crate) struct WireListener(pub TcpListener);

pub(crate) struct WireStream {
    stream: TcpStream,
    wire: Wire,
}

impl Listener for WireListener {
    type Io = WireStream;
    type Addr = Wire;

    async fn accept(&mut self) -> (WireStream, Wire) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Nagle's algorithm would delay bytes after they are written.
        stream.set_nodelay(true).ok();
        let wire = Wire::default();
        (WireStream { stream, wire: wire.clone() }, wire)
    }

    fn local_addr(&self) -> io::Result<Wire> {
        Ok(Wire::default())
    }
}

impl Connected<IncomingStream<'_, WireListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, WireListener>) -> Wire {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for WireStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for WireStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.wire.clone();
        let mut instruction = lock(&wire.instruction);
        let bytes = match &mut *instruction {
            Instruction::Pass | Instruction::Run { .. } => bytes,
            Instruction::Break { after: 0, end: End::Close } => {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            Instruction::Break { after: 0, end: End::Reset } => {
                self.stream.set_zero_linger().ok();
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            // A disconnect of the client wakes this task.
            Instruction::Break { after: 0, end: End::Hold(action) } => {
                if let Some(action) = action.take() {
                    action();
                }
                return Poll::Pending;
            }
            Instruction::Break { after, .. } => &bytes[..bytes.len().min(*after)],
        };
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        match &mut *instruction {
            Instruction::Pass => {}
            Instruction::Break { after, .. } => *after -= written,
            Instruction::Run { written, .. } => *written = true,
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        let mut instruction = lock(&self.wire.instruction);
        if flushed.is_ready()
            && matches!(&*instruction, Instruction::Run { written: true, .. })
            && let Instruction::Run { action, .. } = std::mem::take(&mut *instruction)
        {
            action();
        }
        drop(instruction);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
