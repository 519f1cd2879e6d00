//! A link that a second process was started with, given to the engine that holds the sign-in.
//!
//! The socket lies in a private folder, is private itself, and takes only processes of the same person. One line of
//! at most 4 kB goes in, `ok` or `err` comes back, nothing else.

/// Why a link was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// No engine listens: this process may start one.
    #[error("no Usher is running")]
    NotRunning,
    /// An engine listens, and the link belongs to no sign-in that waits there.
    #[error("the running Usher has no use for this link")]
    Refused,
    /// An engine may listen, but the exchange with it failed.
    #[error("the running Usher cannot be reached: {0}")]
    Io(#[from] std::io::Error),
}

/// Gives a raw address to the engine that runs in `runtime_dir`. Blocks for at most two seconds.
#[cfg(not(unix))]
pub fn hand_over_link(_runtime_dir: &std::path::Path, _raw: &str) -> Result<(), HandOverError> {
    Err(HandOverError::NotRunning)
}

#[cfg(unix)]
pub(crate) use unix::LinkListener;
#[cfg(unix)]
pub use unix::hand_over_link;

#[cfg(unix)]
mod unix {
    use std::io::{self, Read, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream as StdStream;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{UnixListener, UnixStream};

    use super::HandOverError;
    use crate::shared::Shared;

    const LONGEST_LINK: usize = 4096;
    const PATIENCE: Duration = Duration::from_secs(2);

    fn socket(runtime_dir: &Path) -> PathBuf {
        runtime_dir.join("link.sock")
    }

    /// Gives a raw address to the engine that runs in `runtime_dir`. Blocks for at most two seconds.
    pub fn hand_over_link(runtime_dir: &Path, raw: &str) -> Result<(), HandOverError> {
        if raw.len() > LONGEST_LINK || raw.contains(['\n', '\r']) {
            return Err(HandOverError::Refused);
        }
        let folder_error = |error| HandOverError::Io(io::Error::other(error));
        // Only in a folder that nobody else can enter is the listener surely ours.
        usher_secrets::private::only_ours(runtime_dir).map_err(folder_error)?;
        let mut stream = StdStream::connect(socket(runtime_dir)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => HandOverError::NotRunning,
            _ => HandOverError::Io(error),
        })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        writeln!(stream, "{raw}")?;
        let mut answer = String::new();
        stream.take(8).read_to_string(&mut answer)?;
        match answer.trim() {
            "ok" => Ok(()),
            _ => Err(HandOverError::Refused),
        }
    }

    /// Takes links until it is dropped, and removes its socket then.
    pub(crate) struct LinkListener {
        path: PathBuf,
        task: tokio::task::JoinHandle<()>,
    }

    impl LinkListener {
        /// Called by the holder of the engine's lock alone: a socket that is there already is a dead one.
        pub fn start(shared: Arc<Shared>) -> io::Result<Self> {
            let path = socket(&shared.options.runtime_dir);
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            let listener = UnixListener::bind(&path)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            let our_uid =
                std::fs::metadata(&path).map(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata))?;
            let task = tokio::spawn(async move {
                loop {
                    let Ok((stream, _)) = listener.accept().await else {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    };
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(PATIENCE, serve(stream, our_uid, &shared)).await;
                    });
                }
            });
            Ok(Self { path, task })
        }
    }

    impl Drop for LinkListener {
        fn drop(&mut self) {
            self.task.abort();
            let _ = std::fs::remove_file(&self.path);
        }
    }

    async fn serve(mut stream: UnixStream, our_uid: u32, shared: &Shared) -> io::Result<()> {
        let peer = stream.peer_cred()?;
        let (reader, mut writer) = stream.split();
        if !may_speak(peer.uid(), our_uid) {
            return writer.write_all(b"err\n").await;
        }
        let mut line = String::new();
        BufReader::new(reader.take(LONGEST_LINK as u64 + 1)).read_line(&mut line).await?;
        let answer: &[u8] = match line.strip_suffix('\n') {
            Some(raw) if raw.len() <= LONGEST_LINK && shared.take_link(raw).await.is_ok() => b"ok\n",
            Some(_) | None => b"err\n",
        };
        writer.write_all(answer).await
    }

    /// Only the person whose engine this is.
    pub(super) fn may_speak(peer_uid: u32, our_uid: u32) -> bool {
        peer_uid == our_uid
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_person_may_speak() {
        assert!(unix::may_speak(1000, 1000));
        assert!(!unix::may_speak(0, 1000));
        assert!(!unix::may_speak(1001, 1000));
    }

    #[test]
    fn without_an_engine_nobody_takes_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = folder.path().join("run");
        let outcome = hand_over_link(&runtime, "dev.usher.desktop:/oauth/callback?code=a&state=b");
        assert!(matches!(outcome, Err(HandOverError::NotRunning)));
        let outcome = hand_over_link(&runtime, "a\nb");
        assert!(matches!(outcome, Err(HandOverError::Refused)));
    }
}
