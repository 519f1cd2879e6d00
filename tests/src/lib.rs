//! Fixtures of the end-to-end tests: one noun a file, and each ends what it started when it is dropped.
//!
//! Nothing here changes the environment of the test process: children get theirs from [`Desktop::command`].

mod app;
mod axe;
mod browser;
mod bus;
mod cli;
pub mod consent;
mod desktop;
mod display;
mod driver;
pub mod folder_watch;
mod keychain_watch;
mod keyring;
mod mortal;
mod mute_keychain;
mod notification_server;
mod page;
pub mod place;
mod portal;
mod process;
mod prompter;
mod requirements;
mod self_signed;
mod stand_in;
mod started;
mod tray_host;
pub mod wait;
pub mod walk;
mod window;
mod windows;

pub use app::App;
pub use axe::{Violation, violations};
pub use browser::Browser;
pub use bus::Bus;
pub use cli::{Cli, Output, Running};
pub use desktop::{Desktop, DesktopOptions};
pub use display::Display;
pub use driver::Driver;
pub use keychain_watch::KeychainWatch;
pub use keyring::Keyring;
pub use mortal::{Blow, Mortal};
pub use mute_keychain::MuteKeychain;
pub use notification_server::{Notification, NotificationServer};
pub use page::Page;
pub use portal::{ColorScheme, Portal};
pub use process::Process;
pub use prompter::Prompter;
pub use self_signed::SelfSigned;
pub use stand_in::OpenerStandIn;
pub use started::StartedBySystem;
pub use tray_host::{MenuLine, TrayHost};
pub use window::{Window, WindowOptions};
pub use windows::Windows;
