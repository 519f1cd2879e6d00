//! The Unix socket `engine.sock`: private, in a private folder, and only for processes of the same user.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use usher_secrets::private_files::{ensure_private_dir, remove_if_exists};

use crate::ConnectError;
use crate::error::is_closed;

pub(crate) type Stream = UnixStream;

pub(crate) struct Listener(UnixListener);

/// The socket's file. Dropping this removes it, unless another socket has replaced it.
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// The user of the other side, as the system reports it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    uid: Option<u32>,
    our_uid: u32,
}

impl Listener {
    /// Creates the socket. Only the holder of the engine's lock may call this, so an existing socket is stale or
    /// planted, and is replaced.
    pub fn bind(runtime_dir: &Path) -> io::Result<(Self, SocketFile)> {
        ensure_private_dir(runtime_dir).map_err(io::Error::other)?;
        let path = path(runtime_dir);
        remove_if_exists(&path)?;
        let short = ShortPath::of_socket(runtime_dir)?;
        let listener = UnixListener::bind(&short.path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let file = SocketFile { identity: identity(&path)?, path };
        Ok((Self(listener), file))
    }

    pub async fn accept(&mut self) -> io::Result<(Stream, Peer)> {
        let (stream, _) = self.0.accept().await?;
        let peer = Peer::of(&stream);
        Ok((stream, peer))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Peer {
    fn of(stream: &Stream) -> Self {
        Self { uid: stream.peer_cred().ok().map(|peer| peer.uid()), our_uid: our_uid() }
    }

    /// Whether the other side runs as the same user. Root counts as another user.
    pub fn is_same_user(self) -> bool {
        self.uid == Some(self.our_uid)
    }
}

/// Connects to the holder. Checks that the folder is private and, as a second protection, that the socket and the
/// process behind it belong to this user.
pub(crate) async fn connect(runtime_dir: &Path) -> Result<Stream, ConnectError> {
    let not_safe =
        |why: &str| ConnectError::Io(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    // Only a holder creates the folder, so that a client does not recreate the folder of an ended session.
    if is_missing(runtime_dir) {
        return Err(ConnectError::NotRunning);
    }
    ensure_private_dir(runtime_dir).map_err(|error| ConnectError::Io(io::Error::other(error)))?;
    let path = path(runtime_dir);
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.file_type().is_socket() => return Err(not_safe("engine.sock is not a socket")),
        Ok(found) if found.uid() != our_uid() => {
            return Err(not_safe("engine.sock belongs to another user"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ConnectError::NotRunning),
        Err(error) => return Err(error.into()),
    }
    let short = ShortPath::of_socket(runtime_dir)?;
    let stream = UnixStream::connect(&short.path).await.map_err(|error| match error.kind() {
        // The socket is gone, stale, or not ready to accept yet.
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::WouldBlock => {
            ConnectError::NotRunning
        }
        // The holder ended during the connection attempt.
        _ if is_closed(&error) => ConnectError::NotRunning,
        _ => error.into(),
    })?;
    if Peer::of(&stream).is_same_user() {
        Ok(stream)
    } else {
        Err(not_safe("another user listens on engine.sock"))
    }
}

const NAME: &str = "engine.sock";

fn path(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join(NAME)
}

fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// A path that is short enough for a socket: Linux accepts 107 bytes, macOS 103.
struct ShortPath {
    path: PathBuf,
    /// The folder with the link. It is removed when the path is no longer needed.
    _link: Option<TempDir>,
}

impl ShortPath {
    /// Returns the socket's path. If that is too long, the path leads through a link in a new private folder. The
    /// socket itself is always in the runtime folder.
    fn of_socket(runtime_dir: &Path) -> io::Result<Self> {
        let path = path(runtime_dir);
        if is_short_enough(&path) {
            return Ok(Self { path, _link: None });
        }
        // The system's folder for temporary files may have a long path, too.
        for folder in [std::env::temp_dir(), PathBuf::from("/tmp")] {
            let Ok(link) = tempfile::Builder::new().prefix("usher-").tempdir_in(folder) else { continue };
            let short = link.path().join("run");
            symlink(std::path::absolute(runtime_dir)?, &short)?;
            let path = short.join(NAME);
            if is_short_enough(&path) {
                return Ok(Self { path, _link: Some(link) });
            }
        }
        let why = format!(
            "the path {} is too long for a socket; set USHER_RUNTIME_DIR to a folder with a shorter path",
            path.display()
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

fn is_short_enough(path: &Path) -> bool {
    SocketAddr::from_pathname(path).is_ok()
}

fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_user_may_connect() {
        let may_connect = |uid, our_uid| Peer { uid, our_uid }.is_same_user();
        assert!(may_connect(Some(1000), 1000));
        assert!(may_connect(Some(0), 0));
        assert!(!may_connect(Some(0), 1000));
        assert!(!may_connect(Some(1001), 1000));
        assert!(!may_connect(None, 1000));
    }
}
