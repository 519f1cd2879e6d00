//! The desktop shell: a window around the engine, the links that come back from the browser, and nothing more.

mod app;
mod bindings;
mod commands;
mod events;

pub use app::run;
pub use bindings::bindings;
