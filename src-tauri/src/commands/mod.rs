//! What the page may ask. Each command parses, calls one function and converts; one file a noun.

pub mod application;
pub mod config;
pub mod demo;
pub mod links;
pub mod secret_store;
pub mod servers;
pub mod sign_in;
pub mod tools;

/// Stands in until the engine can be asked.
fn not_yet() -> usher_engine::ErrorView {
    usher_engine::ErrorView {
        code: usher_engine::Code::Internal,
        message: "The engine is not running.".into(),
        hint: None,
        details: None,
    }
}
