//! Messages about the secret store, and its view.

use usher_api::{Code, ErrorView, SecretStoreView};
use usher_secrets::{Error, StoreKind};

use super::capitalized;

/// Describes an error of the secret store.
pub fn describe_secret_error(error: &Error) -> ErrorView {
    let code = if error.is_locked() { Code::KeychainLocked } else { Code::KeychainUnavailable };
    ErrorView { code, message: capitalized(&format!("{error}.")), hint: Some(error.hint()), details: None }
}

pub(crate) fn view(kind: &StoreKind, error: Option<ErrorView>) -> SecretStoreView {
    match kind {
        StoreKind::Keychain => SecretStoreView::Keychain { error },
        StoreKind::File(path) => SecretStoreView::File { path: path.display().to_string(), error },
        StoreKind::Memory => SecretStoreView::Memory,
    }
}
