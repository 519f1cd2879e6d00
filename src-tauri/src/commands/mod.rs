//! The page's commands. Each one parses its input, calls one function and converts the result.
//!
//! A request that the engine handles alone needs no command of its own: `engine_request` passes it on.

pub mod application;
pub mod config;
pub mod demo;
pub mod engine;
pub mod entries;
pub mod links;
pub mod secret_store;
pub mod secrets;
pub mod servers;
pub mod sign_in;
pub mod tools;
pub mod window;
