//! The files that keep the definitions while Usher does not run: one for each server.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use usher_api::ServerId;
use usher_engine::{Introduction, ListName};
use usher_secrets::private_files;

/// The folder in the state folder.
const FOLDER: &str = "definitions";
/// Each list of a server has at most 10 MiB, and there are four.
const MAX_BYTES: u64 = 48 * 1024 * 1024;

/// The items of a list, each as the JSON text that the server sent.
pub(crate) type Items = Arc<Vec<Bytes>>;

/// The files, in a folder that only this user can read.
#[derive(Clone, Debug)]
pub(crate) struct DefinitionFiles(PathBuf);

/// The definitions of one server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoredDefinitions {
    pub introduction: Introduction,
    pub lists: BTreeMap<ListName, Items>,
}

#[derive(Serialize, Deserialize)]
struct FileJson {
    /// A hash of the endpoint. Another endpoint under the same name has other definitions.
    endpoint: String,
    title: Option<String>,
    instructions: Option<String>,
    capabilities: Map<String, Value>,
    /// By the field of the list's result.
    lists: BTreeMap<String, Vec<Box<RawValue>>>,
}

impl DefinitionFiles {
    pub fn new(state_dir: &Path) -> Self {
        Self(state_dir.join(FOLDER))
    }

    /// Reads the definitions of a server. Returns `None` if there are none for this endpoint.
    pub async fn read(&self, server: &ServerId, endpoint: &str) -> Option<StoredDefinitions> {
        let path = self.path(server);
        let bytes =
            tokio::task::spawn_blocking(move || private_files::read(&path, MAX_BYTES)).await.ok()?.ok()?;
        let file: FileJson = serde_json::from_slice(&bytes).ok()?;
        if file.endpoint != hash(endpoint) {
            return None;
        }
        let items = |items: &[Box<RawValue>]| -> Items {
            Arc::new(items.iter().map(|item| Bytes::copy_from_slice(item.get().as_bytes())).collect())
        };
        let lists = ListName::ALL.into_iter();
        let lists = lists.filter_map(|list| Some((list, items(file.lists.get(list.field())?)))).collect();
        let introduction = Introduction {
            title: file.title,
            instructions: file.instructions,
            capabilities: file.capabilities,
        };
        Some(StoredDefinitions { introduction, lists })
    }

    /// Replaces the definitions of a server.
    pub async fn write(
        &self,
        server: &ServerId,
        endpoint: &str,
        definitions: StoredDefinitions,
    ) -> io::Result<()> {
        let (folder, path, endpoint) = (self.0.clone(), self.path(server), hash(endpoint));
        let write = move || {
            let StoredDefinitions { introduction: Introduction { title, instructions, capabilities }, lists } =
                definitions;
            let mut texts = BTreeMap::new();
            for (list, items) in lists {
                let items: Result<_, _> = items.iter().map(|item| serde_json::from_slice(item)).collect();
                texts.insert(list.field().to_owned(), items?);
            }
            let file = FileJson { endpoint, title, instructions, capabilities, lists: texts };
            private_files::create_private_dir(&folder)?;
            private_files::replace(&path, &serde_json::to_vec(&file)?)
        };
        tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
    }

    /// Removes the definitions of a server.
    pub async fn remove(&self, server: &ServerId) {
        let path = self.path(server);
        let _ = tokio::task::spawn_blocking(move || private_files::remove_if_exists(&path)).await;
    }

    /// A name of a server may contain characters that a file's name cannot.
    fn path(&self, server: &ServerId) -> PathBuf {
        self.0.join(hash(&server.0)).with_extension("json")
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn definitions_are_kept_unchanged_for_their_endpoint() {
        let folder = tempfile::tempdir().expect("create a temporary folder");
        let (files, server) = (DefinitionFiles::new(folder.path()), ServerId("../a/b".to_owned()));
        assert_eq!(files.read(&server, "https://one").await, None);
        let tools: Items =
            Arc::new(vec![Bytes::from_static(br#"{"name":"a","x":1.10,"big":12345678901234567890123}"#)]);
        let introduction =
            Introduction { instructions: Some("Be kind.".to_owned()), ..Introduction::default() };
        let lists = BTreeMap::from([(ListName::Tools, tools), (ListName::Prompts, Items::default())]);
        let definitions = StoredDefinitions { introduction, lists };
        files.write(&server, "https://one", definitions.clone()).await.expect("write");
        assert_eq!(files.read(&server, "https://one").await, Some(definitions));
        assert_eq!(files.read(&server, "https://two").await, None);
        files.remove(&server).await;
        assert_eq!(files.read(&server, "https://one").await, None);
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1, "nothing outside the folder");
    }
}
