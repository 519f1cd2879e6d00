//! Tests of the app with a real window, browser and keychain. Each test has its own desktop.
//!
//! nextest runs at most three of these tests at a time (`.config/nextest.toml`).

mod autostart;
mod config;
mod config_editor;
mod consent;
mod desktop_variants;
mod device;
mod entry_forms;
mod fixtures;
mod foreground;
mod grouped_notification;
mod keychain;
mod keychain_unlock;
mod links;
mod named_secrets;
mod notifications;
mod one_engine;
mod program_approval;
mod program_log;
mod questions;
mod screen_check;
mod screens;
mod secret_request;
mod service_screens;
mod sign_in;
mod support;
mod tray;
