//! Notes in the state folder, written before a refresh token is sent and removed when the response is stored.
//!
//! A note found at the next start means that the previous run ended in between. The token may have been used, and the
//! response is lost.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use usher_oauth::RefreshToken;
use usher_secrets::private_files;

use usher_api::ServerId;

const FOLDER: &str = "renewals";
const LARGEST: u64 = 64 * 1024;

/// The notes, one file for each server.
#[derive(Clone, Debug)]
pub(crate) struct RefreshJournal {
    folder: PathBuf,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The server's name, for a person who reads the file.
    server: String,
    /// A fingerprint of the token.
    token: String,
    sent_at: Timestamp,
}

impl RefreshJournal {
    pub fn in_folder(state_dir: &Path) -> Self {
        Self { folder: state_dir.join(FOLDER) }
    }

    /// Writes the note to the disk. A failure is only logged, because the refresh can still succeed. Without the note,
    /// an interrupted refresh would look like a revocation.
    pub async fn add(&self, server: &ServerId, token: &RefreshToken, sent_at: Timestamp) {
        let path = self.path(server);
        let note = Note { server: server.0.clone(), token: fingerprint(token.expose()), sent_at };
        let noted = run(move || {
            if let Some(folder) = path.parent() {
                private_files::create_private_dir(folder)?;
            }
            private_files::replace(&path, &serde_json::to_vec(&note)?)
        });
        if let Err(error) = noted.await {
            tracing::warn!(%server, %error, "could not write the note of a refresh");
        }
    }

    /// Returns whether a previous run sent this token and did not store the response.
    pub async fn contains(&self, server: &ServerId, token: &RefreshToken) -> bool {
        let (path, fingerprint) = (self.path(server), fingerprint(token.expose()));
        let read = run(move || {
            let bytes = private_files::read(&path, LARGEST)?;
            Ok(serde_json::from_slice::<Note>(&bytes)?)
        });
        read.await.is_ok_and(|note: Note| note.token == fingerprint)
    }

    /// Removes the note. A failure does no harm after a response was stored, because the note's token is then no longer
    /// in use.
    pub async fn clear(&self, server: &ServerId) {
        let path = self.path(server);
        match run(move || std::fs::remove_file(path)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%server, %error, "could not remove the note of a refresh");
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// The file name is a hash, because a server's name may contain anything.
    fn path(&self, server: &ServerId) -> PathBuf {
        self.folder.join(format!("{}.json", fingerprint(&server.0)))
    }
}

fn fingerprint(text: &str) -> String {
    Sha256::digest(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_note_identifies_one_token_of_one_server_and_contains_no_secret() {
        let folder = tempfile::tempdir().expect("create a temporary folder");
        let journal = RefreshJournal::in_folder(folder.path());
        let server = ServerId("../odd/name".to_owned());
        let (sent, other) = (RefreshToken::new("the-secret"), RefreshToken::new("another"));
        assert!(!journal.contains(&server, &sent).await);
        journal.add(&server, &sent, Timestamp::UNIX_EPOCH).await;
        assert!(journal.contains(&server, &sent).await);
        assert!(!journal.contains(&server, &other).await);
        assert!(!journal.contains(&ServerId("else".to_owned()), &sent).await);
        let file = std::fs::read_dir(folder.path().join(FOLDER))
            .expect("read the folder")
            .next()
            .expect("one note")
            .expect("read the entry");
        let text = std::fs::read_to_string(file.path()).expect("read the note");
        assert!(!text.contains("the-secret"), "{text}");
        std::fs::write(file.path(), "{ cut").expect("write the note");
        assert!(!journal.contains(&server, &sent).await, "a truncated note is ignored");
        journal.clear(&server).await;
        journal.clear(&server).await;
        assert!(!file.path().exists());
    }
}
