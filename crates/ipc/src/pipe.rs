//! The named pipe on Windows. Its access list allows only this user and the system, and no access over the network.
//! This code was written from the documentation and has never run.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use interprocess::ConnectWaitMode;
use interprocess::os::windows::named_pipe::PipeListenerOptions;
use interprocess::os::windows::named_pipe::pipe_mode::Bytes;
use interprocess::os::windows::named_pipe::tokio::{DuplexPipeStream, PipeListener};
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use sha2::{Digest, Sha256};
use widestring::u16cstr;

use crate::ConnectError;

pub(crate) type Stream = DuplexPipeStream<Bytes>;

pub(crate) struct Listener(PipeListener<Bytes, Bytes>);

/// Empty, because a pipe has no file.
pub(crate) struct SocketFile;

/// A client whose user the access list has already checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer;

impl Listener {
    /// Creates the pipe. Fails if another process has already taken its name.
    pub fn bind(runtime_dir: &Path) -> io::Result<(Self, SocketFile)> {
        // D:P blocks inherited entries. The two entries allow everything to the owner (the pipe's creator) and to the
        // system.
        let access = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)"))?;
        let name = name(runtime_dir);
        let options = PipeListenerOptions::new().path(name.as_path()).security_descriptor(Some(access));
        Ok((Self(options.create_tokio_duplex()?), SocketFile))
    }

    pub async fn accept(&mut self) -> io::Result<(Stream, Peer)> {
        Ok((self.0.accept().await?, Peer))
    }
}

impl Peer {
    pub fn is_same_user(self) -> bool {
        true
    }
}

pub(crate) async fn connect(runtime_dir: &Path) -> Result<Stream, ConnectError> {
    let (name, no_wait) = (name(runtime_dir), ConnectWaitMode::Timeout(Duration::ZERO));
    let opened = Stream::connect_by_path_with_wait_mode(name.as_path(), no_wait).await;
    opened.map_err(|error| match error.kind() {
        // The pipe does not exist, or all of its instances are in use.
        io::ErrorKind::NotFound | io::ErrorKind::TimedOut => ConnectError::NotRunning,
        _ => error.into(),
    })
}

/// Returns the pipe's name. Each runtime folder has its own pipe, as it has its own lock.
fn name(runtime_dir: &Path) -> PathBuf {
    let absolute = std::path::absolute(runtime_dir).unwrap_or_else(|_| runtime_dir.to_owned());
    let digest = Sha256::digest(absolute.as_os_str().as_encoded_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    PathBuf::from(format!(r"\\.\pipe\dev.usher.desktop-{digest}"))
}
