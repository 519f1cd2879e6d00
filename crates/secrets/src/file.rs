//! The file store.
use crate::Error;
use crate::backend::{Condition, Secret};
use crate::item::Item;
pub(crate) struct FileBackend;
impl FileBackend {
    pub fn new(path: std::path::PathBuf) -> Self {
        let _ = path;
        Self
    }
    pub async fn check(&self) -> Result<(), Error> {
        Err(soon())
    }
    pub async fn get(&self, _item: &Item) -> Result<Option<Secret>, Error> {
        Err(soon())
    }
    pub async fn put(&self, _item: &Item, _secret: Secret) -> Result<(), Error> {
        Err(soon())
    }
    pub async fn delete(&self, _item: &Item, _condition: Option<Condition>) -> Result<bool, Error> {
        Err(soon())
    }
    pub async fn list(&self) -> Result<Vec<String>, Error> {
        Err(soon())
    }
}
fn soon() -> Error {
    Error::Unavailable { why: "not built yet".to_owned() }
}
