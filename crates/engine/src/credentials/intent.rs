//! A note in the state folder before a refresh token is sent. Whoever starts and finds one knows that the run before
//! ended in between: the token may be spent, and its answer is lost.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use usher_oauth::RefreshToken;
use usher_secrets::private_files;

use crate::ServerId;

const FOLDER: &str = "renewals";
const LARGEST: u64 = 64 * 1024;

/// The notes of all servers, one file each.
#[derive(Clone, Debug)]
pub(crate) struct Intents {
    folder: PathBuf,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Intent {
    /// For people who look into the folder.
    server: String,
    /// Tells which token was sent, and not what it is.
    token: String,
    sent_at: Timestamp,
}

impl Intents {
    pub fn in_folder(state_dir: &Path) -> Self {
        Self { folder: state_dir.join(FOLDER) }
    }

    /// On the disk when this returns. Where it cannot be written the renewal goes on: the note tells a crash from an
    /// end, and is not worth a sign-in.
    pub async fn note(&self, server: &ServerId, token: &RefreshToken, sent_at: Timestamp) {
        let path = self.path(server);
        let intent = Intent { server: server.0.clone(), token: fingerprint(token.expose()), sent_at };
        let noted = run(move || {
            if let Some(folder) = path.parent() {
                private_files::create_private_dir(folder)?;
            }
            private_files::replace(&path, &serde_json::to_vec(&intent)?)
        });
        if let Err(error) = noted.await {
            tracing::warn!(%server, %error, "a renewal could not be noted before it was sent");
        }
    }

    /// Whether this very token was sent by a run that did not live to see the answer.
    pub async fn is_noted(&self, server: &ServerId, token: &RefreshToken) -> bool {
        let (path, fingerprint) = (self.path(server), fingerprint(token.expose()));
        let read = run(move || {
            let bytes = private_files::read(&path, LARGEST)?;
            Ok(serde_json::from_slice::<Intent>(&bytes)?)
        });
        read.await.is_ok_and(|intent: Intent| intent.token == fingerprint)
    }

    /// The answer came, and what it brought is stored. A note that stays behind names a token that is not kept any more.
    pub async fn clear(&self, server: &ServerId) {
        let path = self.path(server);
        match run(move || std::fs::remove_file(path)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%server, %error, "the note of a renewal could not be removed");
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// A server's name may hold anything, so the file is named by its hash.
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
    async fn a_note_names_one_token_of_one_server_and_holds_no_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let intents = Intents::in_folder(folder.path());
        let server = ServerId("../odd/name".to_owned());
        let (sent, other) = (RefreshToken::new("the-secret"), RefreshToken::new("another"));
        assert!(!intents.is_noted(&server, &sent).await);
        intents.note(&server, &sent, Timestamp::UNIX_EPOCH).await;
        assert!(intents.is_noted(&server, &sent).await);
        assert!(!intents.is_noted(&server, &other).await);
        assert!(!intents.is_noted(&ServerId("else".to_owned()), &sent).await);
        let file =
            std::fs::read_dir(folder.path().join(FOLDER)).expect("notes").next().expect("one").expect("it");
        let text = std::fs::read_to_string(file.path()).expect("text");
        assert!(!text.contains("the-secret"), "{text}");
        std::fs::write(file.path(), "{ cut").expect("written");
        assert!(!intents.is_noted(&server, &sent).await, "one that was cut says nothing");
        intents.clear(&server).await;
        intents.clear(&server).await;
        assert!(!file.path().exists());
    }
}
