//! The page's commands. Each one parses, calls one function and converts the result.
//!
//! A verb that the engine carries out alone needs no command of its own: `engine_request` passes it on.

pub mod application;
pub mod config;
pub mod demo;
pub mod engine;
pub mod links;
pub mod secret_store;
pub mod servers;
pub mod sign_in;
pub mod tools;
