//! The named pipe of Windows. The system's default access list lets only the person, the administrators and the system
//! itself write to it, and nothing is said to who has not written. Written after the documentation; never run.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, PipeMode, ServerOptions,
};

use crate::ConnectError;

/// `ERROR_PIPE_BUSY`: every instance is taken for this moment.
const PIPE_BUSY: i32 = 231;

/// Either end of a pipe.
pub(crate) enum Stream {
    Server(NamedPipeServer),
    Client(NamedPipeClient),
}

/// Takes connections.
pub(crate) struct Listener {
    name: PathBuf,
    next: NamedPipeServer,
}

/// Nothing is left behind by a pipe.
pub(crate) struct Address;

/// The access list has decided already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer;

impl Listener {
    /// Fails where somebody has taken the name before us.
    pub fn bind(runtime_dir: &Path) -> io::Result<(Self, Address)> {
        let name = name(runtime_dir);
        let next = instance(true, &name)?;
        Ok((Self { name, next }, Address))
    }

    pub async fn accept(&mut self) -> io::Result<(Stream, Peer)> {
        self.next.connect().await?;
        let taken = std::mem::replace(&mut self.next, instance(false, &self.name)?);
        Ok((Stream::Server(taken), Peer))
    }
}

impl Peer {
    pub fn is_the_same_person(self) -> bool {
        true
    }
}

pub(crate) async fn connect(runtime_dir: &Path) -> Result<Stream, ConnectError> {
    let opened = ClientOptions::new().pipe_mode(PipeMode::Byte).open(name(runtime_dir));
    opened.map(Stream::Client).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ConnectError::NotRunning,
        _ if error.raw_os_error() == Some(PIPE_BUSY) => ConnectError::NotRunning,
        _ => error.into(),
    })
}

fn instance(first: bool, name: &Path) -> io::Result<NamedPipeServer> {
    ServerOptions::new().first_pipe_instance(first).reject_remote_clients(true).create(name)
}

/// One pipe a runtime folder, as there is one lock.
fn name(runtime_dir: &Path) -> PathBuf {
    let whole = std::path::absolute(runtime_dir).unwrap_or_else(|_| runtime_dir.to_owned());
    let digest = Sha256::digest(whole.as_os_str().as_encoded_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    PathBuf::from(format!(r"\\.\pipe\dev.usher.desktop-{digest}"))
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_read(cx, into),
            Self::Client(pipe) => Pin::new(pipe).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_write(cx, bytes),
            Self::Client(pipe) => Pin::new(pipe).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_flush(cx),
            Self::Client(pipe) => Pin::new(pipe).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_shutdown(cx),
            Self::Client(pipe) => Pin::new(pipe).poll_shutdown(cx),
        }
    }
}
