//! The sign-ins that the run before left waiting, as far as an answer made us look for them.

use std::collections::HashMap;

use secrecy::SecretString;
use usher_oauth::PendingAuthorization;

use crate::credentials::stores::Stores;
use crate::{ErrorView, ServerId};

/// What the secret store said of each server that it was asked for.
#[derive(Default)]
pub(crate) struct LeftWaiting(tokio::sync::Mutex<HashMap<ServerId, Option<SecretString>>>);

impl LeftWaiting {
    /// The sign-in of this `state`, among those of `servers`. Answers may come from anybody who can make the person
    /// follow a link: the secret store is asked once for each server, and not while it does not work, for then it
    /// may ask for a password each time. An error where the store cannot tell.
    pub async fn find(
        &self,
        state: &str,
        servers: Vec<ServerId>,
        stores: &Stores,
    ) -> Result<Option<(ServerId, PendingAuthorization)>, ErrorView> {
        let mut left = self.0.lock().await;
        let mut unknown = None;
        for server in servers {
            if left.contains_key(&server) {
                continue;
            }
            unknown = stores.error();
            if unknown.is_some() {
                break;
            }
            let outcome = stores.get().pending(&server.0).await;
            stores.note(outcome.as_ref().err());
            match outcome {
                Ok(secret) => left.insert(server, secret),
                Err(_) => {
                    unknown = stores.error();
                    if unknown.is_some() {
                        break;
                    }
                    // This one cannot be read, today or tomorrow.
                    left.insert(server, None)
                }
            };
        }
        let found = left.iter().find_map(|(server, secret)| {
            let pending = PendingAuthorization::from_secret(secret.as_ref()?)?;
            (pending.state() == state).then(|| (server.clone(), pending))
        });
        match (found, unknown) {
            (None, Some(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use usher_secrets::StoreKind;

    use super::*;
    use crate::ConfigView;
    use crate::board::Board;
    use crate::credentials::stores::view;

    fn stores(file: &Path) -> Stores {
        let config = ConfigView {
            path: "mcp.json".to_owned(),
            error: None,
            line: None,
            column: None,
            warnings: Vec::new(),
        };
        let kind = StoreKind::File(file.to_owned());
        let board = Board::new(config, view(&kind, None));
        Stores::new(kind, true, Arc::new(board))
    }

    #[tokio::test]
    async fn a_store_that_does_not_work_is_not_asked_for_each_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secrets");
        let (stores, left) = (stores(&file), LeftWaiting::default());
        let link = async |servers: &[&str]| {
            let servers = servers.iter().map(|server| ServerId((*server).to_owned())).collect();
            let found = left.find("state", servers, &stores).await;
            assert!(found.is_err() == stores.error().is_some() && !matches!(found, Ok(Some(_))));
            let mut asked: Vec<_> = left.0.lock().await.keys().map(|server| server.0.clone()).collect();
            asked.sort();
            asked
        };
        std::fs::create_dir(&file).expect("what is no file");
        assert_eq!(link(&["demo"]).await, [""; 0]);
        assert!(stores.error().is_some());
        // Whether it could be used again, no link is to find out.
        std::fs::remove_dir(&file).expect("gone");
        assert_eq!(link(&["demo"]).await, [""; 0]);
        assert!(stores.error().is_some());
        stores.note(None);
        assert_eq!(link(&["demo"]).await, ["demo"]);
        assert_eq!(link(&["demo", "other"]).await, ["demo", "other"]);
        // What was asked for stays known, also when nobody could ask any more.
        std::fs::create_dir(&file).expect("what is no file");
        assert_eq!(link(&["demo", "other"]).await, ["demo", "other"]);
        assert!(stores.error().is_none());
    }
}
