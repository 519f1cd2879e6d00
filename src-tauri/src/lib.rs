//! The desktop shell: a window and a tray around the engine, notifications, the links that come back from the browser.

mod action;
mod app;
mod autostart;
mod bindings;
mod browser;
mod commands;
mod deep_link;
mod demo;
mod desktop;
mod engine_slot;
mod error;
mod events;
#[cfg(target_os = "linux")]
mod handler;
mod harden;
mod kept;
mod keychain;
mod logging;
mod need;
mod notice;
mod options;
mod registration;
mod running;
#[cfg(test)]
mod samples;
mod settings;
mod shell;
mod tray;
mod wanted;
mod window;

pub use app::run;
pub use bindings::bindings;
