//! Messages about the named secrets that a person stores.

use usher_api::{Code, ErrorView};
use usher_config::display_text;

/// Describes a name that a placeholder cannot have.
pub(crate) fn invalid_name() -> ErrorView {
    ErrorView::new(
        Code::ConfigInvalid,
        "This is not the name of a secret.",
        "Use letters, digits, “_”, “-” and “.”, and no spaces.",
    )
}

/// Describes the name of another secret.
pub(crate) fn name_in_use(name: &str) -> ErrorView {
    let shown = display_text(name, 80);
    ErrorView::new(
        Code::ConfigInvalid,
        format!("There is already a secret named “{shown}”."),
        "Choose another name, or replace the value of that secret.",
    )
}

/// Describes a missing value.
pub(crate) fn no_value() -> ErrorView {
    ErrorView::new(Code::ConfigInvalid, "The secret has no value.", "Enter the value.")
}

/// Describes a value that is too long. `limit` is in bytes.
pub(crate) fn value_too_long(limit: usize) -> ErrorView {
    ErrorView::new(
        Code::ConfigInvalid,
        format!("The secret is longer than {} kB.", limit / 1024),
        "Check that this is the right text.",
    )
}
