//! What the page may ask. Each command parses, calls one function and converts; one file a noun.

pub mod application;
pub mod config;
pub mod demo;
pub mod links;
pub mod secret_store;
pub mod servers;
pub mod sign_in;
pub mod tools;
