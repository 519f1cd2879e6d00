//! Messages about secrets and the origins to which they may be sent.

use std::io;

use usher_api::{Code, ErrorView, SecretRequestView};
use usher_config::PlaceholderError;

/// Describes an entry that sends a value to an origin for which the person has not allowed it.
pub(crate) fn secret_not_allowed(name: &str, requests: &[SecretRequestView]) -> ErrorView {
    let Some(SecretRequestView { secret, origin, .. }) = requests.first() else {
        return ErrorView::without_hint(Code::SecretNotAllowed, format!("{name} needs a secret."));
    };
    // A shell would replace `${VAR}`, and the braces of `{{name}}` are optional.
    let argument = match secret.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
        Some(secret) => secret.to_owned(),
        None => format!("'{secret}'"),
    };
    ErrorView::new(
        Code::SecretNotAllowed,
        format!("The entry of {name} in mcp.json sends {secret} to {origin}, which is not allowed yet."),
        format!(
            "Check the entry. To allow it, run `usher secret allow {argument} {origin}` or open {name} in Usher."
        ),
    )
}

/// Describes that the origins could not be stored. Nothing was sent.
pub(crate) fn origins_not_stored(error: &io::Error) -> ErrorView {
    ErrorView::new(
        Code::Internal,
        "Usher could not store which services may get the secrets.",
        "Check that Usher's state folder is writable and that the disk is not full.",
    )
    .with_details(error.to_string())
}

/// Describes a request that names no placeholder or no origin.
pub(crate) fn invalid_request(error: &PlaceholderError) -> ErrorView {
    let hint = match error {
        PlaceholderError::NotASecretName | PlaceholderError::NotAVariableName => {
            "Write the name of a secret, or an environment variable as '${VAR}'."
        }
        PlaceholderError::NotAnOrigin => "Write the address of the service, such as https://mcp.example.com.",
    };
    ErrorView::new(Code::ConfigInvalid, super::capitalized(&format!("{error}.")), hint)
}
