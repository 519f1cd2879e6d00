//! The page's commands. Each one parses, calls one function and converts the result.

pub mod application;
pub mod config;
pub mod demo;
pub mod links;
pub mod secret_store;
pub mod servers;
pub mod sign_in;
pub mod tools;
