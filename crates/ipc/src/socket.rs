//! The Unix socket `engine.sock`: private, in a private folder, and only for processes of the same person.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};
use usher_secrets::private_files::ensure_private_dir;

use crate::ConnectError;
use crate::error::is_hang_up;

pub(crate) type Stream = UnixStream;

/// Takes connections.
pub(crate) struct Listener {
    listener: UnixListener,
    our_uid: u32,
}

/// The socket's file, removed when this is dropped, if it is still the one that was made.
pub(crate) struct Address {
    path: PathBuf,
    made: (u64, u64),
}

/// Who is at the other end, as the system says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    uid: Option<u32>,
    our_uid: u32,
}

impl Listener {
    /// For the holder of the engine's lock alone: whatever lies in the socket's place is dead or planted.
    pub fn bind(runtime_dir: &Path) -> io::Result<(Self, Address)> {
        ensure_private_dir(runtime_dir).map_err(io::Error::other)?;
        let path = path(runtime_dir);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(Way::to(runtime_dir)?.path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let address = Address { made: identity(&path)?, path };
        Ok((Self { listener, our_uid: our_uid() }, address))
    }

    pub async fn accept(&mut self) -> io::Result<(Stream, Peer)> {
        let (stream, _) = self.listener.accept().await?;
        let uid = stream.peer_cred().ok().map(|peer| peer.uid());
        Ok((stream, Peer { uid, our_uid: self.our_uid }))
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.made) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Peer {
    /// Only the person whose engine this is; not even the system's administrator.
    pub fn is_the_same_person(self) -> bool {
        self.uid == Some(self.our_uid)
    }
}

/// Connects to whoever listens. In a folder that nobody else may enter that is one of ours; the system is asked all
/// the same.
pub(crate) async fn connect(runtime_dir: &Path) -> Result<Stream, ConnectError> {
    let unsafe_place =
        |why: &str| ConnectError::Io(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    // Whoever holds the engine makes the folder; that of a session which ended is not to be made again.
    if is_missing(runtime_dir) {
        return Err(ConnectError::NotRunning);
    }
    ensure_private_dir(runtime_dir).map_err(|error| ConnectError::Io(io::Error::other(error)))?;
    let path = path(runtime_dir);
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.file_type().is_socket() => return Err(unsafe_place("engine.sock is no socket")),
        Ok(found) if found.uid() != our_uid() => {
            return Err(unsafe_place("engine.sock belongs to another user"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ConnectError::NotRunning),
        Err(error) => return Err(error.into()),
    }
    let way = Way::to(runtime_dir)?;
    let stream = UnixStream::connect(&way.path).await.map_err(|error| match error.kind() {
        // Gone, dead, or so new or so busy that it cannot take us yet.
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::WouldBlock => {
            ConnectError::NotRunning
        }
        // It ended between our knock and its answer.
        _ if is_hang_up(&error) => ConnectError::NotRunning,
        _ => error.into(),
    })?;
    let holder = Peer { uid: stream.peer_cred().ok().map(|peer| peer.uid()), our_uid: our_uid() };
    if holder.is_the_same_person() { Ok(stream) } else { Err(unsafe_place("another user listens there")) }
}

const NAME: &str = "engine.sock";

fn path(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join(NAME)
}

fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// How the socket is named to the system, which takes only short names for sockets: some hundred bytes.
struct Way {
    path: PathBuf,
    /// Open as long as the name leads through it.
    _folder: Option<File>,
}

impl Way {
    /// The socket's path, or where that is too long the way through the open folder, on systems that have one.
    fn to(runtime_dir: &Path) -> io::Result<Self> {
        let path = path(runtime_dir);
        if SocketAddr::from_pathname(&path).is_ok() {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(runtime_dir)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        if !short.is_dir() {
            let why = format!("the path {} is too long for a socket", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(Self { path: short.join(NAME), _folder: Some(folder) })
    }
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
    fn only_the_same_person_may_speak() {
        let may_speak = |uid, our_uid| Peer { uid, our_uid }.is_the_same_person();
        assert!(may_speak(Some(1000), 1000));
        assert!(may_speak(Some(0), 0));
        assert!(!may_speak(Some(0), 1000));
        assert!(!may_speak(Some(1001), 1000));
        assert!(!may_speak(None, 1000));
    }
}
