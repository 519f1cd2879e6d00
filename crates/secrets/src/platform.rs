//! Which keychain this system has, and its dialect.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error as KeyringError, Result as KeyringResult};

use crate::item::Item;
use crate::{Error, SERVICE};

/// Windows takes 2,560 bytes an item. The same everywhere, so that the splitting is exercised everywhere.
pub(crate) const ITEM_LIMIT: usize = 2_560;

/// A connection to the keychain. After any error a fresh one is needed: on Linux an old one keeps saying
/// `NoSession` for ever once the keyring has been restarted.
pub(crate) struct Keychain {
    pub store: Arc<CredentialStore>,
    /// For what the store does not answer, and no secret.
    #[cfg(target_os = "linux")]
    questions: secret_service::blocking::SecretService<'static>,
}

impl Keychain {
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            store: open_store().map_err(|failure| error(failure, "keychain"))?,
            #[cfg(target_os = "linux")]
            questions: secret_service::blocking::SecretService::connect(
                secret_service::EncryptionType::Plain,
            )
            .map_err(secret_service_error)?,
        })
    }
}

#[cfg(target_os = "linux")]
fn open_store() -> KeyringResult<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn open_store() -> KeyringResult<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

/// The divider makes `user@service` unambiguous, because the service has no `@`.
#[cfg(windows)]
fn open_store() -> KeyringResult<Arc<CredentialStore>> {
    let configuration = HashMap::from([("divider", "@"), ("service_no_divider", "true")]);
    Ok(windows_native_keyring_store::Store::new_with_configuration(&configuration)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn open_store() -> KeyringResult<Arc<CredentialStore>> {
    Err(KeyringError::NotSupportedByStore("this system has no keychain that Usher knows".to_owned()))
}

/// Our name for the item; whether it exists shows when it is used.
pub(crate) fn entry(store: &CredentialStore, item: &Item) -> KeyringResult<Entry> {
    let modifiers = if cfg!(target_os = "linux") {
        HashMap::from([("label", item.label())])
    } else if cfg!(windows) {
        HashMap::from([("persistence", "Local")])
    } else {
        HashMap::new()
    };
    store.build(SERVICE, item.user(), Some(&modifiers))
}

/// The user names of all our items.
pub(crate) fn users(store: &CredentialStore) -> KeyringResult<Vec<String>> {
    let spec = if cfg!(windows) {
        HashMap::from([("pattern", r"@dev\.usher\.desktop$")])
    } else {
        HashMap::from([("service", SERVICE)])
    };
    let entries = store.search(&spec)?;
    Ok(entries
        .iter()
        .filter_map(Entry::get_specifiers)
        .filter(|(service, _)| service == SERVICE)
        .map(|(_, user)| user)
        .collect())
}

#[cfg(target_os = "linux")]
impl Keychain {
    /// Fails where the item is locked, or any of ours; where it is not found, or none is asked for, also where the
    /// collection that new ones go to is locked: some keyrings (KeePassXC) find nothing while they are locked. Asks
    /// nobody for a password, which the store would do.
    pub fn must_be_open(&self, item: Option<&Item>) -> Result<(), Error> {
        let mut attributes = HashMap::from([("service", SERVICE)]);
        attributes.extend(item.map(|item| ("username", item.user())));
        let found = self.questions.search_items(attributes).map_err(secret_service_error)?;
        // One that lies in an open collection stays in it, whatever the collection for new ones is.
        let is_open = found.locked.is_empty()
            && (item.is_some() && !found.unlocked.is_empty() || !self.is_default_locked()?);
        if is_open { Ok(()) } else { Err(Error::Locked { why: "it waits for its password".to_owned() }) }
    }

    fn is_default_locked(&self) -> Result<bool, Error> {
        let collection = self.questions.get_default_collection().map_err(secret_service_error)?;
        collection.is_locked().map_err(secret_service_error)
    }

    /// Has the system ask the person for the password of what is locked, and waits.
    pub fn unlock(&self) -> Result<(), Error> {
        let collection = self.questions.get_default_collection().map_err(secret_service_error)?;
        if collection.is_locked().map_err(secret_service_error)? {
            collection.unlock().map_err(secret_service_error)?;
        }
        let ours = HashMap::from([("service", SERVICE)]);
        let found = self.questions.search_items(ours).map_err(secret_service_error)?;
        if !found.locked.is_empty() {
            let items: Vec<_> = found.locked.iter().collect();
            self.questions.unlock_all(&items).map_err(secret_service_error)?;
        }
        Ok(())
    }
}

/// The system asks at the first use.
#[cfg(not(target_os = "linux"))]
impl Keychain {
    pub fn must_be_open(&self, _item: Option<&Item>) -> Result<(), Error> {
        Ok(())
    }

    pub fn unlock(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
const NO_KEYRING: &str = "no keyring runs in this session";

#[cfg(target_os = "linux")]
fn secret_service_error(error: secret_service::Error) -> Error {
    use secret_service::Error as ServiceError;
    match error {
        ServiceError::Locked => Error::Locked { why: "it did not open".to_owned() },
        ServiceError::Prompt => Error::Locked { why: "it was not unlocked when the system asked".to_owned() },
        ServiceError::PromptDisconnected => {
            Error::Locked { why: "the question to unlock it ended without an answer".to_owned() }
        }
        ServiceError::NoResult => Error::Unavailable { why: "there is no default keyring".to_owned() },
        ServiceError::Unavailable => Error::Unavailable { why: NO_KEYRING.to_owned() },
        // A bus where nothing answers to the Secret Service's name, nor could be started for it.
        ServiceError::Zbus(zbus::Error::MethodError(name, ..))
            if name == "org.freedesktop.DBus.Error.ServiceUnknown" =>
        {
            Error::Unavailable { why: NO_KEYRING.to_owned() }
        }
        other => Error::Unavailable { why: other.to_string() },
    }
}

/// Every error but `NoEntry`, which the caller has dealt with. None of the messages holds a secret.
pub(crate) fn error(error: KeyringError, item: &str) -> Error {
    match error {
        KeyringError::NoStorageAccess(source) | KeyringError::PlatformFailure(source) => {
            platform_error(source)
        }
        KeyringError::Ambiguous(_) => {
            Error::Corrupt { item: item.to_owned(), why: "there is more than one of it".to_owned() }
        }
        KeyringError::BadEncoding(_) | KeyringError::BadDataFormat(..) | KeyringError::BadStoreFormat(_) => {
            Error::Corrupt { item: item.to_owned(), why: "the keychain gave back damaged data".to_owned() }
        }
        other => Error::Unavailable { why: other.to_string() },
    }
}

#[cfg(target_os = "linux")]
fn platform_error(source: keyring_core::error::PlatformError) -> Error {
    match source.downcast::<secret_service::Error>() {
        Ok(error) => secret_service_error(*error),
        Err(source) => Error::Unavailable { why: source.to_string() },
    }
}

/// `errSecAuthFailed`, `errSecUserCanceled` and `errSecInteractionNotAllowed` are a person's or a lock's no.
#[cfg(target_os = "macos")]
fn platform_error(source: keyring_core::error::PlatformError) -> Error {
    let code = source.downcast_ref::<security_framework::base::Error>().map(|error| error.code());
    match code {
        Some(-25293 | -128 | -25308) => Error::Locked { why: source.to_string() },
        Some(_) | None => Error::Unavailable { why: source.to_string() },
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn platform_error(source: keyring_core::error::PlatformError) -> Error {
    Error::Unavailable { why: source.to_string() }
}
