//! The desktop shell: a window around the engine, the links that come back from the browser, and nothing more.

mod app;
mod bindings;
mod browser;
mod commands;
mod deep_link;
mod demo;
mod engine_slot;
mod error;
mod events;
#[cfg(target_os = "linux")]
mod handler;
mod harden;
mod kept;
mod logging;
mod options;
mod registration;
mod settings;
mod shell;
mod window;

pub use app::run;
pub use bindings::bindings;
