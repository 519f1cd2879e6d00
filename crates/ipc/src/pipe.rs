//! The named pipe of Windows, with an access list of its own: this person and the system, nobody else, and nobody over
//! the network. Written after the documentation; never run.

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

/// Takes connections.
pub(crate) struct Listener(PipeListener<Bytes, Bytes>);

/// Nothing is left behind by a pipe.
pub(crate) struct Address;

/// The access list has decided already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer;

impl Listener {
    /// Fails where somebody has taken the name before us.
    pub fn bind(runtime_dir: &Path) -> io::Result<(Self, Address)> {
        // Security descriptor strings: protected from inherited entries; everything for the owner, who is whoever
        // made the pipe, and for the system itself.
        let access = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)"))?;
        let name = name(runtime_dir);
        let options = PipeListenerOptions::new().path(name.as_path()).security_descriptor(Some(access));
        Ok((Self(options.create_tokio_duplex()?), Address))
    }

    pub async fn accept(&mut self) -> io::Result<(Stream, Peer)> {
        Ok((self.0.accept().await?, Peer))
    }
}

impl Peer {
    pub fn is_the_same_person(self) -> bool {
        true
    }
}

pub(crate) async fn connect(runtime_dir: &Path) -> Result<Stream, ConnectError> {
    let (name, no_wait) = (name(runtime_dir), ConnectWaitMode::Timeout(Duration::ZERO));
    let opened = Stream::connect_by_path_with_wait_mode(name.as_path(), no_wait).await;
    opened.map_err(|error| match error.kind() {
        // Gone, or every instance is taken for this moment.
        io::ErrorKind::NotFound | io::ErrorKind::TimedOut => ConnectError::NotRunning,
        _ => error.into(),
    })
}

/// One pipe a runtime folder, as there is one lock.
fn name(runtime_dir: &Path) -> PathBuf {
    let whole = std::path::absolute(runtime_dir).unwrap_or_else(|_| runtime_dir.to_owned());
    let digest = Sha256::digest(whole.as_os_str().as_encoded_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    PathBuf::from(format!(r"\\.\pipe\dev.usher.desktop-{digest}"))
}
