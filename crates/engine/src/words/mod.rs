//! Errors and states as sentences for a person. Each file covers one source, and each error is put into words once.

pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod credentials;
pub(crate) mod secret_store;
pub(crate) mod server;
pub(crate) mod sign_in;

/// Capitalises an error text of a lower layer, which is written for the middle of a sentence.
fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
