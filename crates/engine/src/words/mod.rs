//! The messages for the person. Each file covers one source of errors, and each error has one message.

pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod credentials;
pub(crate) mod named_secret;
pub(crate) mod offer;
pub(crate) mod program;
pub(crate) mod secret_origin;
pub(crate) mod secret_store;
pub(crate) mod server;
pub(crate) mod sign_in;

/// Capitalises an error text of a lower layer, which is written for the middle of a sentence.
pub(crate) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
