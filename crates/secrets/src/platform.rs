//! The keychain of each system, behind one interface.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error as KeyringError, Result as KeyringResult};

use crate::item::Item;
use crate::{Error, SERVICE};

/// The maximum length of an item in bytes. This is the limit of Windows. It is used on every system, so that splitting
/// is tested everywhere.
pub(crate) const ITEM_LIMIT: usize = 2_560;

/// A connection to the keychain. It must be replaced after any error: if the keyring restarts on Linux, every later
/// call returns `NoSession`.
pub(crate) struct Keychain {
    pub store: Arc<CredentialStore>,
    /// A second connection for checks that the store does not offer. It transfers no secrets.
    #[cfg(target_os = "linux")]
    service: secret_service::blocking::SecretService<'static>,
}

impl Keychain {
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            store: open_store().map_err(|error| map_error(error, "keychain"))?,
            #[cfg(target_os = "linux")]
            service: secret_service::blocking::SecretService::connect(secret_service::EncryptionType::Plain)
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

/// Opens the store with the divider `@`. It makes `user@service` unambiguous, because the service name contains no `@`.
#[cfg(windows)]
fn open_store() -> KeyringResult<Arc<CredentialStore>> {
    let configuration = HashMap::from([("divider", "@"), ("service_no_divider", "true")]);
    Ok(windows_native_keyring_store::Store::new_with_configuration(&configuration)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn open_store() -> KeyringResult<Arc<CredentialStore>> {
    Err(KeyringError::NotSupportedByStore("this system has no supported keychain".to_owned()))
}

/// Returns a handle to the item, which need not exist.
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

/// Returns the user names of all of Usher's items.
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
    /// Fails if `item` is locked. If `item` is `None`, fails if any of Usher's items is locked. Unlike the store's own
    /// calls, this never opens an unlock prompt.
    ///
    /// If the item is not found or `item` is `None`, the default collection must be unlocked too. Some keyrings
    /// (KeePassXC) find nothing while they are locked.
    pub fn ensure_unlocked(&self, item: Option<&Item>) -> Result<(), Error> {
        let mut attributes = HashMap::from([("service", SERVICE)]);
        attributes.extend(item.map(|item| ("username", item.user())));
        let found = self.service.search_items(attributes).map_err(secret_service_error)?;
        // An item in an unlocked collection can be used, even if the default collection is locked.
        let is_unlocked = found.locked.is_empty()
            && (item.is_some() && !found.unlocked.is_empty() || !self.is_default_locked()?);
        if is_unlocked { Ok(()) } else { Err(Error::Locked { why: "it needs its password".to_owned() }) }
    }

    fn is_default_locked(&self) -> Result<bool, Error> {
        let collection = self.service.get_default_collection().map_err(secret_service_error)?;
        collection.is_locked().map_err(secret_service_error)
    }

    /// Opens the system's unlock prompt for the default collection and for Usher's items, if they are locked. Waits for
    /// the person's response.
    pub fn unlock(&self) -> Result<(), Error> {
        let collection = self.service.get_default_collection().map_err(secret_service_error)?;
        if collection.is_locked().map_err(secret_service_error)? {
            collection.unlock().map_err(secret_service_error)?;
        }
        let ours = HashMap::from([("service", SERVICE)]);
        let found = self.service.search_items(ours).map_err(secret_service_error)?;
        if !found.locked.is_empty() {
            let items: Vec<_> = found.locked.iter().collect();
            self.service.unlock_all(&items).map_err(secret_service_error)?;
        }
        Ok(())
    }
}

/// Other systems open their prompt when an item is used.
#[cfg(not(target_os = "linux"))]
impl Keychain {
    pub fn ensure_unlocked(&self, _item: Option<&Item>) -> Result<(), Error> {
        Ok(())
    }

    pub fn unlock(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
const NO_KEYRING: &str = "no keyring is running in this session";

#[cfg(target_os = "linux")]
fn secret_service_error(error: secret_service::Error) -> Error {
    use secret_service::Error as ServiceError;
    match error {
        ServiceError::Locked => Error::Locked { why: "it could not be unlocked".to_owned() },
        ServiceError::Prompt => Error::Locked { why: "the unlock prompt was dismissed".to_owned() },
        ServiceError::PromptDisconnected => Error::Locked { why: "the unlock prompt was closed".to_owned() },
        ServiceError::NoResult => Error::Unavailable { why: "there is no default keyring".to_owned() },
        ServiceError::Unavailable => Error::Unavailable { why: NO_KEYRING.to_owned() },
        // No program on the bus provides the Secret Service, and the bus cannot start one.
        ServiceError::Zbus(zbus::Error::MethodError(name, ..))
            if name == "org.freedesktop.DBus.Error.ServiceUnknown" =>
        {
            Error::Unavailable { why: NO_KEYRING.to_owned() }
        }
        other => Error::Unavailable { why: other.to_string() },
    }
}

/// Maps every error except `NoEntry`, which the caller handles. The messages contain no secrets.
pub(crate) fn map_error(error: KeyringError, item: &str) -> Error {
    match error {
        KeyringError::NoStorageAccess(source) | KeyringError::PlatformFailure(source) => {
            platform_error(source)
        }
        KeyringError::Ambiguous(_) => Error::Corrupt {
            item: item.to_owned(),
            why: "there is more than one item with this name".to_owned(),
        },
        KeyringError::BadEncoding(_) | KeyringError::BadDataFormat(..) | KeyringError::BadStoreFormat(_) => {
            Error::Corrupt { item: item.to_owned(), why: "the keychain returned damaged data".to_owned() }
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

/// `errSecAuthFailed`, `errSecUserCanceled` and `errSecInteractionNotAllowed` mean that the keychain is locked or the
/// person dismissed its prompt.
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
