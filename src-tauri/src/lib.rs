//! The desktop app around the engine: a window, a tray, notifications, and links from the browser.
//!
//! The engine runs in this process. The app starts it, forwards its events to the page, and carries out the page's
//! commands. Each long-lived part is a separate Tauri state, so a command's parameters name the parts that it uses.
//!
//! | module | contents |
//! |---|---|
//! | `app`, `start` | the process, and the order in which its parts start |
//! | `options`, `settings`, `state_file` | flags and paths, the person's choices, the app's JSON files |
//! | `engine_slot`, `engine_events` | the engine once it is running, and the forwarding of its events |
//! | `commands`, `events`, `bindings` | the page's commands and events, and their TypeScript |
//! | `window` | the window, and the requests to show a service's page |
//! | `tray`, `notices` | the tray icon with its menu, and notifications |
//! | `links` | `dev.usher.desktop:` links from the browser |
//! | `action`, `sign_in`, `qr_code`, `secret_store` | the actions that a click in the window, the tray or a notification starts |
//! | `service_label` | the short name of a service |
//! | `desktop_features`, `autostart` | the features of the desktop, and starting at login |
//! | `keychain`, `demo`, `browser` | the retry when the keychain changes, the demo service, opening the browser |
//! | `running_instance`, `logging`, `error` | Usher in another process, the log, errors |
//!
//! The example exports the page's types, as `cargo xtask bindings` does:
//!
//! ```no_run
//! use specta_typescript::Typescript;
//!
//! usher_shell::bindings().export(Typescript::default(), "bindings.ts")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod app;
mod autostart;
mod bindings;
mod browser;
mod commands;
mod demo;
mod desktop_features;
mod engine_events;
mod engine_slot;
mod error;
mod events;
mod keychain;
mod links;
mod logging;
mod notices;
mod options;
mod qr_code;
mod question_text;
mod running_instance;
#[cfg(test)]
mod sample_views;
mod secret_store;
mod service_label;
mod settings;
mod sign_in;
mod start;
mod state_file;
mod tray;
mod window;

pub use app::run;
pub use bindings::bindings;
