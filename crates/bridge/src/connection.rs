//! The connection to the engine's socket, with its hello and the reply.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use usher_api::{BridgeFirstMessage, BridgeHello, BridgeReply, ErrorView};

const SOCKET: &str = "engine.sock";

/// The engine's side of the lines.
#[derive(Debug)]
pub struct Connection {
    pub reader: BufReader<UnixStream>,
    pub writer: UnixStream,
}

/// The reason why there is no connection.
#[derive(Debug)]
pub enum Failure {
    /// No engine listens.
    NotRunning,
    /// The engine refused the target.
    Refused(ErrorView),
    Io(io::Error),
}

impl Connection {
    /// Connects to the engine that listens in `runtime_dir`.
    pub fn open(runtime_dir: &Path, hello: &BridgeHello) -> Result<Self, Failure> {
        let stream = connect(runtime_dir)?;
        let mut writer = stream.try_clone().map_err(Failure::Io)?;
        let first = serde_json::to_string(&BridgeFirstMessage { bridge: hello.clone() });
        let first = first.map_err(|error| Failure::Io(error.into()))? + "\n";
        let mut reader = BufReader::with_capacity(64 * 1024, stream);
        let mut reply = String::new();
        // An engine that is about to exit closes the connection.
        writer.write_all(first.as_bytes()).map_err(|_| Failure::NotRunning)?;
        match reader.read_line(&mut reply) {
            Ok(0) | Err(_) => return Err(Failure::NotRunning),
            Ok(_) => {}
        }
        match serde_json::from_str(&reply) {
            Ok(BridgeReply::Welcome) => Ok(Self { reader, writer }),
            Ok(BridgeReply::Refused(error)) => Err(Failure::Refused(error)),
            Err(_) => Err(Failure::Io(io::Error::other("unexpected reply from the running Usher"))),
        }
    }
}

/// Connects to the socket, if it and the process behind it belong to this user.
fn connect(runtime_dir: &Path) -> Result<UnixStream, Failure> {
    let our_uid = rustix::process::geteuid().as_raw();
    let path = runtime_dir.join(SOCKET);
    for checked in [runtime_dir, &path] {
        let found = fs::symlink_metadata(checked).map_err(|_| Failure::NotRunning)?;
        if found.uid() != our_uid {
            return Err(not_ours(checked));
        }
    }
    // A socket's path is limited to about 100 bytes, so it is opened relative to its folder.
    let before = std::env::current_dir();
    std::env::set_current_dir(runtime_dir).map_err(Failure::Io)?;
    let connected = UnixStream::connect(SOCKET);
    if let Ok(before) = before {
        let _ = std::env::set_current_dir(before);
    }
    let stream = connected.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Failure::NotRunning,
        _ => Failure::Io(error),
    })?;
    match peer_uid(&stream) {
        Ok(uid) if uid == our_uid => Ok(stream),
        Ok(_) | Err(_) => Err(not_ours(&path)),
    }
}

#[cfg(target_os = "linux")]
fn peer_uid(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

/// macOS has no portable call for this. The owner of the folder and of the socket was checked.
#[cfg(not(target_os = "linux"))]
fn peer_uid(_stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::process::geteuid().as_raw())
}

fn not_ours(path: &Path) -> Failure {
    Failure::Io(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("{} belongs to another user", path.display()),
    ))
}
