//! A connection whose answer can break off after any byte: cut, reset, or held for ever.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::Strike;

/// What is to happen to the answer that is sent next. A handler gets it as `ConnectInfo`.
#[derive(Clone)]
pub(super) struct Wire {
    order: Arc<Mutex<Order>>,
    /// When the connection was made.
    pub connected: Instant,
}

#[derive(Default)]
enum Order {
    #[default]
    Pass,
    /// So many bytes, then the end.
    Break { after: usize, end: End },
    /// Called when what was written is flushed.
    Tell { strike: Strike, written: bool },
}

/// How an answer breaks off.
pub(super) enum End {
    /// The connection is closed in order.
    Close,
    /// The connection is reset.
    Reset,
    /// No more comes, and nothing is closed.
    Hold(Option<Strike>),
}

impl Wire {
    fn new() -> Wire {
        Wire { order: Arc::default(), connected: Instant::now() }
    }

    pub fn break_off(&self, after: usize, end: End) {
        *self.lock() = Order::Break { after, end };
    }

    /// Calls `strike` once the answer is with the system.
    pub fn tell_when_sent(&self, strike: Strike) {
        *self.lock() = Order::Tell { strike, written: false };
    }

    fn lock(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// Accepts connections that carry a [`Wire`] each.
pub(super) struct WireListener(pub TcpListener);

pub(super) struct WireStream {
    stream: TcpStream,
    wire: Wire,
}

impl Listener for WireListener {
    type Io = WireStream;
    type Addr = Wire;

    async fn accept(&mut self) -> (WireStream, Wire) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Bytes go out as they are written, not when more of them have gathered.
        stream.set_nodelay(true).ok();
        let wire = Wire::new();
        (WireStream { stream, wire: wire.clone() }, wire)
    }

    fn local_addr(&self) -> io::Result<Wire> {
        Ok(Wire::new())
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
        let mut order = wire.lock();
        let bytes = match &mut *order {
            Order::Pass | Order::Tell { .. } => bytes,
            Order::Break { after: 0, end: End::Close } => {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            Order::Break { after: 0, end: End::Reset } => {
                self.stream.set_zero_linger().ok();
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            // Whoever reads the other end wakes this connection by leaving.
            Order::Break { after: 0, end: End::Hold(strike) } => {
                if let Some(strike) = strike.take() {
                    strike();
                }
                return Poll::Pending;
            }
            Order::Break { after, .. } => &bytes[..bytes.len().min(*after)],
        };
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        match &mut *order {
            Order::Pass => {}
            Order::Break { after, .. } => *after -= written,
            Order::Tell { written, .. } => *written = true,
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        let mut order = self.wire.lock();
        if flushed.is_ready()
            && matches!(&*order, Order::Tell { written: true, .. })
            && let Order::Tell { strike, .. } = std::mem::take(&mut *order)
        {
            strike();
        }
        drop(order);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
